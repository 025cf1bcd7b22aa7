import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { betterSide } from '../shared/contract/contract.ts';
import { unreachable } from '../shared/errors.ts';
import type { EngineEvent } from '../shared/events.ts';
import { describeHostAway, describeHostJoined } from '../shared/machines/hosts.ts';
import { counted, formatPercent, formatSeconds } from '../shared/numbers.ts';
import { phaseWord } from '../shared/phases.ts';
import { describeRest, describeRested } from '../shared/proposers/rests.ts';
import { STOP_WORDS } from '../shared/study.ts';
import { countTried, describeTried } from '../shared/tried.ts';
import { describeFlag, describeHandOver } from '../shared/verdicts/fairness.ts';
import { describeHints } from '../shared/verdicts/probes.ts';
import { reasonWords } from '../shared/verdicts/reason-words.ts';
import {
  describeRepeat,
  describeRollBack,
  describeTakeBack,
  REPEAT_WORDS,
} from '../shared/verdicts/repeats.ts';
import { clip, deltaText, durationText, metricText, verdictText } from './format.ts';

/** How often the live line is redrawn for the remaining time, if nothing else happens. */
const REDRAW_MS = 500;
const HYPOTHESIS_COLUMNS = 44;
const MESSAGE_COLUMNS = 600;
const VERDICT_COLUMNS = 120;
const LONG_MESSAGE_COLUMNS = 2_000;

type Live = {
  readonly n: number;
  hypothesis: string;
  phase: string;
  runStart: number | null;
  values: Readonly<Record<string, number | string>>;
};

/**
 * The view for people: one line per finished experiment and, on a terminal, a last line about the current one. A file
 * or pipe gets only the finished lines.
 */
export class LiveView {
  readonly #stream: WriteStream;
  readonly #timer: NodeJS.Timeout | null;
  #live: Live | null = null;
  #best: { readonly metric: number; readonly n: number | null } | null = null;
  #budgetSeconds = 0;
  #limitSeconds = 0;
  #metric = '';
  #message: string | null = null;
  #wish: 'pause' | 'stop' | null = null;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.#timer = stream.isTTY ? setInterval(() => this.#draw(), REDRAW_MS) : null;
    this.#timer?.unref();
  }

  event(event: EngineEvent): void {
    switch (event.type) {
      case 'study_started':
        this.#metric = event.metric;
        this.#budgetSeconds = event.budgetSeconds;
        this.#limitSeconds = event.limitSeconds;
        this.#best = event.best === null ? null : { metric: event.best, n: null };
        this.#print(
          `${event.resumed ? 'Continuing' : 'Study'} ${styleText('bold', event.tag)} in ${event.repository}`,
        );
        this.#print(
          styleText(
            'gray',
            `branch ${event.branch} from ${event.baseCommit.slice(0, 7)} · ${event.metric}, ${betterSide(event.goal)} is better · ` +
              `${formatSeconds(event.budgetSeconds)} per run, at most ${formatSeconds(event.limitSeconds)} · proposer ${event.proposer}`,
          ),
        );
        if (event.lanes.length > 0) this.#print(styleText('gray', lanesText(event.lanes)));
        this.#print(
          event.uncontained === null
            ? styleText('gray', 'the runs are contained')
            : styleText('yellow', `NOT CONTAINED: the runs can do whatever you can. ${event.uncontained}`),
        );
        break;
      case 'setup_started':
        this.#message = `setting up: ${event.command}`;
        break;
      case 'setup_finished':
        this.#message = null;
        this.#print(`Set up in ${durationText(event.seconds)}.`);
        break;
      case 'experiment_started':
        this.#live = {
          n: event.n,
          hypothesis: event.n === 0 ? 'Baseline' : '',
          phase: 'proposing',
          runStart: null,
          values: {},
        };
        break;
      case 'phase':
        if (this.#live) this.#live.phase = event.phase;
        break;
      case 'proposed':
        if (this.#live) this.#live.hypothesis = event.hypothesis;
        break;
      case 'thought':
        break;
      case 'refused':
        this.#print(styleText('gray', `#${event.n} refused: ${clip(event.message, 200)}`));
        break;
      case 'attempted':
        break;
      case 'run_started':
        if (this.#live) {
          this.#live.phase = event.k === 0 ? 'training' : `training again (run ${event.k + 1})`;
          this.#live.runStart = performance.now();
        }
        break;
      case 'progress':
        if (this.#live) this.#live.values = { ...this.#live.values, ...event.values };
        break;
      case 'run_finished':
        if (this.#live) this.#live.runStart = null;
        break;
      case 'repeat_started':
        this.#live = {
          ...{ n: event.n, hypothesis: REPEAT_WORDS[event.purpose], phase: 'training again' },
          ...{ runStart: null, values: {} },
        };
        break;
      case 'repeated':
        this.#live = null;
        this.#print(styleText('gray', describeRepeat(event)));
        break;
      case 'rolled_back':
        this.#best = { metric: event.parentRecord, n: event.parent };
        this.#print(styleText('yellow', describeRollBack(event)));
        break;
      case 'taken_back':
        this.#best = { metric: event.parentRecord, n: event.parent };
        this.#print(styleText('yellow', describeTakeBack(event)));
        break;
      case 'verdict':
        this.#live = null;
        this.#message = null;
        this.#printVerdict(event);
        break;
      case 'new_best':
        this.#best = { metric: event.metric, n: event.n };
        break;
      case 'awaiting_number':
        this.#message = `waiting for its number until ${new Date(event.until).toLocaleString()}; "pawl measured ${event.n} <value> --source <words>" to enter it`;
        break;
      case 'interrupted':
      case 'put_off':
        this.#live = null;
        this.#print(`#${event.n} ${phaseWord(event.type)}. ${event.message}`);
        break;
      case 'run_unfair': {
        const why = event.flags.map(describeFlag).join('; ');
        this.#print(`#${event.n} is run again: ${why}`);
        break;
      }
      case 'handed_over':
        this.#live = null;
        this.#print(describeHandOver(event));
        break;
      case 'proposer_rests':
        this.#print(styleText('yellow', describeRest(event, event.at)));
        break;
      case 'proposer_rested':
        this.#print(describeRested(event));
        break;
      case 'host_away':
        this.#print(styleText('yellow', describeHostAway(event)));
        break;
      case 'host_joined':
        this.#print(describeHostJoined(event));
        break;
      case 'warning':
        this.#print(styleText('yellow', `warning: ${event.message}`));
        break;
      case 'review_opened':
        this.#message =
          `the proposal waits for you in the window. ${event.hints.length > 0 ? describeHints(event.hints) : ''}`.trimEnd();
        break;
      case 'review_closed':
        this.#message = null;
        break;
      case 'wished':
        this.#wish = event.wish;
        break;
      case 'study_paused':
        this.#wish = null;
        this.#message = 'paused: "pawl resume" in another terminal continues it';
        this.#print('Paused.');
        break;
      case 'study_continued':
        this.#message = null;
        this.#print('Continuing.');
        break;
      case 'study_stopped':
        this.#live = null;
        this.#message = null;
        this.#printEnd(event);
        break;
      default:
        unreachable(event);
    }
    this.#draw();
  }

  #printEnd(event: Extract<EngineEvent, { type: 'study_stopped' }>): void {
    const why = event.reason === 'user' ? 'by you.' : STOP_WORDS[event.reason];
    this.#print(`Stopped: ${clip(event.detail ?? why, MESSAGE_COLUMNS)}`);
    if (event.reason === 'baseline_failed') this.#print('"pawl show 0 --log" shows what it printed.');
    const { baseline, best, bestExperiment } = event;
    this.#print(describeTried(countTried(event)));
    if (baseline === null || best === null) return;
    const share = (best - baseline) / Math.abs(baseline);
    const percent =
      baseline === 0 ? '' : ` (${share > 0 ? '+' : share === 0 ? '±' : ''}${formatPercent(share, 2)})`;
    this.#print(
      `${this.#metric}: baseline ${metricText(baseline)}, best ${styleText('bold', metricText(best))} in #${bestExperiment}${percent}`,
    );
    for (const line of event.claims) this.#print(line);
  }

  #printVerdict(event: Extract<EngineEvent, { type: 'verdict' }>): void {
    const why = whyOf(event);
    const whole = [event.hypothesis, why].filter(Boolean).join(': ');
    const isLong = whole.length > VERDICT_COLUMNS;
    this.#print(
      [
        `#${event.n}`.padStart(4),
        verdictText(event.verdict),
        metricText(event.metric).padStart(10),
        deltaText(event.delta).padStart(10),
        durationText(event.seconds).padStart(7),
        clip(isLong ? event.hypothesis : whole, VERDICT_COLUMNS),
      ].join('  '),
    );
    // A long hypothesis leaves no room for the reason, which is worth more. That of a baseline ends the study.
    const columns = event.n === 0 ? LONG_MESSAGE_COLUMNS : MESSAGE_COLUMNS;
    if (isLong && why !== null) this.#print(`      ${clip(why, columns)}`);
  }

  say(message: string): void {
    this.#message = message;
    this.#print(message);
    this.#draw();
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#clear();
  }

  #print(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
  }

  #clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[2K');
  }

  #draw(): void {
    if (!this.#stream.isTTY) return;
    const live = this.#live;
    if (!live && !this.#message) return;
    const parts = live ? this.#describe(live) : [this.#message ?? ''];
    this.#clear();
    this.#stream.write(clip(parts.filter(Boolean).join('  '), (this.#stream.columns || 80) - 1));
  }

  #describe(live: Live): string[] {
    const { step, loss } = live.values;
    const elapsed = live.runStart === null ? null : (performance.now() - live.runStart) / 1000;
    return [
      `#${live.n}`,
      clip(live.hypothesis, HYPOTHESIS_COLUMNS),
      live.phase,
      this.#wish === null ? '' : `then ${this.#wish === 'pause' ? 'a pause' : 'the end'}`,
      step === undefined ? '' : `step ${step}`,
      loss === undefined ? '' : `loss ${typeof loss === 'number' ? loss.toFixed(4) : loss}`,
      elapsed === null ? '' : this.#timeLeft(elapsed),
      this.#best
        ? `best ${metricText(this.#best.metric)}${this.#best.n === null ? '' : ` (#${this.#best.n})`}`
        : '',
    ];
  }

  /** Against the budget until it is over, then against the limit. */
  #timeLeft(elapsed: number): string {
    const left = this.#budgetSeconds - elapsed;
    return left > 0
      ? `${durationText(left)} left`
      : `+${durationText(-left)} of at most ${durationText(this.#limitSeconds - this.#budgetSeconds)}`;
  }
}

/** What the numbers beside it do not say; null if they say it all. */
function whyOf({ reason, message }: Extract<EngineEvent, { type: 'verdict' }>): string | null {
  return (
    message ?? (['baseline', 'better', 'worse', 'equal'].includes(reason) ? null : reasonWords({ reason }))
  );
}

/** Lanes of a cluster all have the same name. */
function lanesText(lanes: readonly string[]): string {
  return `${counted(lanes.length, 'lane')}: ${[...new Set(lanes)].join('; ')}`;
}
