import { setImmediate as nextTurn } from 'node:timers/promises';
import { smoothSeries } from '../../shared/charts/smooth-series.ts';
import { STEP_NAMES, tokenCount } from '../../shared/charts/token-count.ts';
import { TRAINING_LOSS } from '../../shared/charts/training-loss.ts';
import type { RunView, SeriesView } from '../../shared/notebook.ts';
import { toScalar } from '../../shared/scalar.ts';
import type { Run } from '../../shared/study.ts';
import { lastTrial } from '../../shared/study.ts';
import { thinSeries } from '../../shared/thin-series.ts';
import type { SeriesPoint } from '../metrics/output-reader.ts';
import type { Ledger } from '../store/ledger.ts';
import { namesIn, unpackInTurns } from '../store/series.ts';

/** Series that count or time something rather than measure it. */
const COUNTERS = new RegExp(
  `^(?:${STEP_NAMES.join('|')}|progress|remaining|dt|time|eta|lrm|lr|tok/sec|mfu)$`,
  'i',
);
/** Sparklines of finished runs, by study, experiment and width; each is a few hundred bytes. */
const CACHED_SPARKLINES = 4_000;

/** The names of a run's series, those that training lowers first. */
export function orderSeries(names: readonly string[]): readonly string[] {
  const rank = (name: string) => {
    if (TRAINING_LOSS.test(name)) return 0;
    if (/loss/i.test(name)) return 1;
    return COUNTERS.test(name) ? 3 : 2;
  };
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** One series, thinned for `width` pixels. Points without the series or without a step are left out. */
function seriesView(
  points: readonly SeriesPoint[],
  run: Pick<Run, 'n' | 'k' | 'units' | 'summary'>,
  name: string,
  query: Pick<SeriesQuery, 'by' | 'width' | 'smoothing'>,
): SeriesView {
  const x: number[] = [];
  const y: (number | null)[] = [];
  const { by, width, smoothing = 0 } = query;
  const placeOf = placing(points, run, name, by);
  for (const [index, point] of points.entries()) {
    const value = point.values.get(name);
    if (value === undefined) continue;
    const at = placeOf(point, index);
    if (at === undefined) continue;
    x.push(at);
    y.push(Number.isFinite(value) ? value : null);
  }
  const thin = thinSeries(x, y, width);
  const first = points.find(({ values }) => STEP_NAMES.some(key => values.has(key)));
  const firstStepAt = first?.seconds ?? null;
  const average = smoothing > 0 ? smoothSeries(y, smoothing) : null;
  return {
    ...{ n: run.n, k: run.k, name, unit: run.units[name] ?? null, ...thin, total: x.length, firstStepAt },
    smooth: average && { ...thinSeries(x, average.y, width), state: average.state },
  };
}

/** Returns where a point lies on the axis, or undefined if it has no place there. */
function placing(
  points: readonly SeriesPoint[],
  run: Pick<Run, 'summary'>,
  name: string,
  by: SeriesQuery['by'],
): (point: SeriesPoint, index: number) => number | undefined {
  if (by === 'seconds') return point => point.seconds;
  if (by === 'tokens') {
    const count = tokenCount(namesIn(points), summaryOf(run));
    return point => count?.(name => point.values.get(name));
  }
  // A training may count its steps under one name and its evaluations under another.
  const step = STEP_NAMES.find(key => points.some(({ values }) => values.has(key) && values.has(name)));
  return (point, index) => (step === undefined ? index : point.values.get(step));
}

/** The numbers a run printed at its end, in order; those that are not finite as words. */
export function summaryOf({ summary }: Pick<Run, 'summary'>): RunView['summary'] {
  return Object.entries(summary ?? {}).map(([name, value]) => ({ name, value: toScalar(value) }));
}

export type SeriesQuery = {
  readonly study: string;
  readonly runs: readonly { readonly n: number; readonly k?: number | undefined }[];
  readonly names?: readonly string[] | undefined;
  readonly source: 'training' | 'telemetry';
  readonly by: 'seconds' | 'step' | 'tokens';
  readonly width: number;
  /** As in `smoothSeries`; no smoothing by default. */
  readonly smoothing?: number | undefined;
};

/** Without names, returns the main series of each run, or all telemetry series. Runs that do not exist are left out. */
export async function readSeries(ledger: Ledger, query: SeriesQuery): Promise<readonly SeriesView[]> {
  const views: SeriesView[] = [];
  for (const { n, k } of query.runs) {
    await nextTurn();
    const runs = ledger.runs.list(query.study, n);
    const run = k === undefined ? lastTrial(runs) : runs.find(candidate => candidate.k === k);
    if (!run) continue;
    const isTraining = query.source === 'training';
    const { seriesChunks, telemetryChunks } = ledger.runs;
    const points = await unpackInTurns((isTraining ? seriesChunks : telemetryChunks)(query.study, n, run.k));
    const known = orderSeries(namesIn(points));
    const names = query.names ?? (isTraining ? known.slice(0, 1) : known);
    for (const name of names) {
      if (known.includes(name)) views.push(seriesView(points, run, name, query));
    }
  }
  return views;
}

type Sparkline = { readonly n: number; readonly y: readonly (number | null)[] };

/** Draws the loss of many experiments small. Remembers sparklines that can no longer change. */
export class Sparklines {
  readonly #ledger: Ledger;
  readonly #cache = new Map<string, Sparkline | null>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async read(study: string, ns: readonly number[], width: number): Promise<readonly Sparkline[]> {
    const lines: Sparkline[] = [];
    for (const n of ns) {
      const line = await this.#one(study, n, width);
      if (line) lines.push(line);
    }
    return lines;
  }

  async #one(study: string, n: number, width: number): Promise<Sparkline | null> {
    const key = `${study}/${n}/${width}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    // Unpacking a run's points takes a millisecond or more, so let the loop run between two of them.
    await nextTurn();
    const run = lastTrial(this.#ledger.runs.list(study, n));
    const points = run ? await unpackInTurns(this.#ledger.runs.seriesChunks(study, n, run.k)) : [];
    const name = orderSeries(namesIn(points))[0];
    const line =
      run && name !== undefined ? { n, y: seriesView(points, run, name, { by: 'seconds', width }).y } : null;
    const cell = this.#ledger.cells.get(study, n);
    // The next sitting tries a failed baseline again.
    const isFinal = cell?.phase === 'recorded' && !(n === 0 && cell.verdict?.word === 'crash');
    if (isFinal) {
      if (this.#cache.size >= CACHED_SPARKLINES) this.#cache.clear();
      this.#cache.set(key, line);
    }
    return line;
  }
}
