import type { EngineEvent } from '../../shared/events.ts';
import type { CurrentExperiment, LivePoint, LiveRun, Mark } from '../../shared/notebook.ts';
import { fromScalar } from '../../shared/scalar.ts';
import { noticeOf } from '../notify/notice-of.ts';
import type { Ledger } from '../store/ledger.ts';
import type { EventHub } from './event-hub.ts';
import { studyCard } from './study-card.ts';

/** Live points are sent at most ten times a second. */
const LIVE_MS = 100;
/** A newly opened window gets the points of the last seconds; older ones are already in the ledger. */
const RECENT_SECONDS = 10;

/**
 * Turns the engine's events into the windows' events: after each, reads the affected cell and card from the ledger
 * and sends them whole.
 */
export class Announcer {
  readonly #ledger: Ledger;
  readonly #hub: EventHub;
  #wish: CurrentExperiment['wish'] = null;
  /** The study whose sitting has begun but has not sent an event yet. */
  #starting: string | null = null;
  #lastMark = 0;
  /** Points that windows have not received yet, by experiment. */
  readonly #live = new Map<number, { readonly k: number; readonly points: LivePoint[] }>();
  #liveTimer: NodeJS.Timeout | null = null;
  #recent: LiveRun | null = null;

  constructor(ledger: Ledger, hub: EventHub) {
    this.#ledger = ledger;
    this.#hub = hub;
  }

  /** What the user asked for (pause, stop), shown until it happens. */
  get wish(): CurrentExperiment['wish'] {
    return this.#wish;
  }

  /** The newest points of the current run that windows have received. */
  get recent(): LiveRun | null {
    return this.#recent;
  }

  /** Whether the study's sitting has begun but has not sent an event yet. */
  isStarting(id: string): boolean {
    return this.#starting === id;
  }

  announceStudy(id: string): void {
    const study = this.#ledger.studies.get(id);
    if (!study) return;
    const card = studyCard(this.#ledger, study, { wish: this.#wish, isStarting: this.isStarting(id) });
    this.#hub.publish({ type: 'study', card });
  }

  announceCell(study: string, n: number): void {
    const cell = this.#ledger.cells.get(study, n);
    this.#hub.publish(cell ? { type: 'cell', study, cell } : { type: 'cell_removed', study, n });
  }

  announceMark(study: string, mark: Mark): void {
    this.#hub.publish({ type: 'mark', study, mark });
  }

  /** Announces the marks that the engine has written since the last call. */
  #announceMarks(study: string): void {
    for (const mark of this.#ledger.marks.after(study, this.#lastMark)) {
      this.#lastMark = mark.id;
      this.announceMark(study, mark);
    }
  }

  /** Begins a sitting. Windows already know what the ledger holds. */
  begin(study: string): void {
    this.#starting = study;
    this.#wish = null;
    this.#lastMark = this.#ledger.marks.list(study).at(-1)?.id ?? 0;
  }

  /** The sitting is over, whichever events it has sent. */
  end(study: string): void {
    this.#starting = null;
    this.announceStudy(study);
  }

  handle(event: EngineEvent): void {
    const { study } = event;
    this.#starting = null;
    if (event.type === 'progress') {
      this.#addLive(event);
      return;
    }
    if (event.type === 'thought') {
      this.#hub.publish({ type: 'thought', study, n: event.n, text: event.text });
      return;
    }
    this.#flushLive(study);
    switch (event.type) {
      case 'run_finished':
        this.#recent = null;
        break;
      case 'wished':
        this.#wish = event.wish;
        break;
      case 'study_stopped':
      case 'study_paused':
      case 'study_continued':
        this.#wish = null;
        break;
      case 'refused': {
        // Read from the ledger, because the event's own time differs.
        const refusal = this.#ledger.refusals.list(study).at(-1);
        if (!refusal) break;
        const { memo: _, ...shown } = refusal;
        this.#hub.publish({ type: 'refused', study, refusal: shown });
        break;
      }
      default:
        break;
    }
    if (event.type === 'taken_back') for (const n of event.chain) this.announceCell(study, n);
    else if ('n' in event) this.announceCell(study, event.n);
    if (event.type === 'new_best') this.#announceSuperseded(study, event.n);
    this.announceStudy(study);
    this.#announceMarks(study);
    const notice = noticeOf(event, event.at, study, this.#ledger);
    if (notice) this.#hub.publish({ type: 'notice', notice });
    if (event.type === 'study_stopped') this.#announceUnfinished(study);
  }

  /** A late keep may have replaced others. */
  #announceSuperseded(study: string, n: number): void {
    const { supersedes = [] } = this.#ledger.experiments.get(study, n)?.verdict?.evidence ?? {};
    for (const other of supersedes) this.announceCell(study, other);
  }

  /** A stop may have interrupted an experiment, or dropped one that had barely begun. */
  #announceUnfinished(study: string): void {
    for (const { n } of this.#ledger.experiments.unfinished(study)) this.announceCell(study, n);
    const next = (this.#ledger.experiments.lastNumber(study) ?? -1) + 1;
    this.#hub.publish({ type: 'cell_removed', study, n: next });
  }

  #addLive(event: Extract<EngineEvent, { type: 'progress' }>): void {
    const { study, n, k, elapsedSeconds, values } = event;
    if (this.#live.has(n) && this.#live.get(n)?.k !== k) this.#flushLive(study);
    const points = this.#live.get(n)?.points ?? [];
    this.#live.set(n, { k, points });
    const finite = Object.entries(values).map(([name, value]) => {
      const number = fromScalar(value);
      return [name, Number.isFinite(number) ? number : null] as const;
    });
    points.push({ seconds: elapsedSeconds, values: Object.fromEntries(finite) });
    this.#liveTimer ??= setTimeout(() => this.#flushLive(study), LIVE_MS);
  }

  #flushLive(study: string): void {
    if (this.#liveTimer) clearTimeout(this.#liveTimer);
    this.#liveTimer = null;
    const all = [...this.#live];
    this.#live.clear();
    for (const [n, { k, points }] of all) this.#publishLive(study, n, k, points);
  }

  #publishLive(study: string, n: number, k: number, points: readonly LivePoint[]): void {
    this.#hub.publish({ type: 'live', study, n, k, points });
    const isSame = this.#recent?.study === study && this.#recent.n === n && this.#recent.k === k;
    const all = isSame ? [...(this.#recent?.points ?? []), ...points] : points;
    const newest = all.at(-1)?.seconds ?? 0;
    this.#recent = { study, n, k, points: all.filter(({ seconds }) => seconds >= newest - RECENT_SECONDS) };
  }
}
