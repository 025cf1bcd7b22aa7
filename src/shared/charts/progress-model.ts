import { findBest, runningBest, type VerdictWord } from '../study.ts';
import { LARGEST_DRAWN } from './axis-ticks.ts';
import { robustFence } from './robust-fence.ts';
import { shorten } from './shorten.ts';

/**
 * One experiment for the chart. `at` is milliseconds since the epoch: when it ended, or started; NaN where nobody wrote
 * that down.
 */
export type ProgressRow = {
  readonly n: number;
  readonly at: number;
  readonly word: VerdictWord | null;
  readonly metric: number | null;
  readonly hypothesis: string | null;
};

/** x by experiment number, by hours since the first experiment, or by count of keeps (the others are left out). */
export type ProgressAxis = 'experiment' | 'time' | 'kept';

export type Goal = 'minimize' | 'maximize';

/**
 * How a row is drawn: by its verdict, where `other` looks like a discard for both were not kept, or `blank` where it was not a
 * crash and still has no number.
 */
export type PointKind = 'discard' | 'keep' | 'crash' | 'blank';

export type ProgressPoint = {
  readonly row: ProgressRow;
  readonly kind: PointKind;
  /** In the unit of the axis. */
  readonly x: number;
  /** NaN where the kind is `crash` or `blank`. */
  readonly value: number;
  /** Whether the value may set the scale: kept, or near the best of its time. See `robustFence`. */
  readonly isNear: boolean;
  /** The hypothesis of a keep, short enough to stand in the drawing; '' where there is none. */
  readonly label: string;
};

/** The rows made ready for an axis; what depends on neither the view nor the size. */
export type ProgressModel = {
  readonly axis: ProgressAxis;
  readonly goal: Goal;
  /** Finished rows in the order of x. */
  readonly points: readonly ProgressPoint[];
  /** Place in `points` by experiment number. */
  readonly indexOf: ReadonlyMap<number, number>;
  /** Where the running best changes, in the order of x. */
  readonly steps: readonly { readonly x: number; readonly best: number }[];
  /** Places in `points` of the keeps, best first. */
  readonly keepsBestFirst: readonly number[];
  /** All there is, with a margin; holds at least ten experiments so that the first do not fill the width. */
  readonly whole: readonly [number, number];
  readonly tally: ProgressTally;
};

export type ProgressTally = {
  readonly finished: number;
  readonly keep: number;
  readonly discard: number;
  readonly crash: number;
  readonly best: number | null;
  readonly bestExperiment: number | null;
};

const MOST_LABEL_CHARACTERS = 36;
const MS_PER_HOUR = 3_600_000;

export function progressModel(rows: readonly ProgressRow[], goal: Goal, axis: ProgressAxis): ProgressModel {
  const finished = rows
    .filter(row => row.word !== null)
    .sort((a, b) => (axis === 'time' ? a.at - b.at : 0) || a.n - b.n);
  const kinds = finished.map(kindOf);
  const best = runningBest(
    finished.map((row, index) => ({ word: row.word, metric: kinds[index] === 'keep' ? row.metric : null })),
    goal,
  );
  const fence = makeFence(finished, kinds, best);
  const start = finished[0]?.at ?? 0;
  const points: ProgressPoint[] = [];
  const steps: { x: number; best: number }[] = [];
  let keeps = 0;
  let last: number | null = null;
  finished.forEach((row, index) => {
    const kind = kinds[index] ?? 'blank';
    if (axis === 'kept' && kind !== 'keep') return;
    const x = axis === 'experiment' ? row.n : axis === 'time' ? (row.at - start) / MS_PER_HOUR : keeps;
    if (kind === 'keep') keeps += 1;
    const hasValue = kind === 'keep' || kind === 'discard';
    const value = hasValue ? (row.metric ?? Number.NaN) : Number.NaN;
    const isNear = kind === 'keep' || fence(value, index);
    const label = kind === 'keep' ? shorten(row.hypothesis ?? '', MOST_LABEL_CHARACTERS) : '';
    points.push({ row, kind, x, value, isNear, label });
    const now = best[index] ?? null;
    if (now !== null && now !== last) steps.push({ x, best: now });
    last = now;
  });
  return {
    axis,
    goal,
    points,
    indexOf: new Map(points.map((point, index) => [point.row.n, index])),
    steps,
    keepsBestFirst: bestFirst(points, goal),
    whole: wholeDomain(points, axis),
    tally: countRows(finished, goal),
  };
}

function kindOf(row: ProgressRow): PointKind {
  // A crash stays one whatever stands in its column: upstream's table has 0.000000 there.
  if (row.word === 'crash') return 'crash';
  if (row.metric === null || !(Math.abs(row.metric) <= LARGEST_DRAWN)) return 'blank';
  return row.word === 'keep' ? 'keep' : 'discard';
}

/** Says of a discard's value whether it is near the best of its time. */
function makeFence(
  rows: readonly ProgressRow[],
  kinds: readonly PointKind[],
  best: readonly (number | null)[],
): (value: number, index: number) => boolean {
  const firstBest = best.find(value => value !== null) ?? null;
  const reference = (index: number) => best[index] ?? firstBest;
  const values = rows.flatMap((row, index) => (kinds[index] === 'discard' ? [row.metric ?? 0] : []));
  const middle = [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
  const distances = rows.flatMap((row, index) =>
    kinds[index] === 'discard' ? [Math.abs((row.metric ?? 0) - (reference(index) ?? middle))] : [],
  );
  const reach = robustFence(distances, firstBest ?? middle);
  return (value, index) => Math.abs(value - (reference(index) ?? middle)) <= reach;
}

function bestFirst(points: readonly ProgressPoint[], goal: Goal): readonly number[] {
  const value = (index: number) => points[index]?.value ?? 0;
  return points
    .flatMap((point, index) => (point.kind === 'keep' ? [index] : []))
    .sort((a, b) => (goal === 'minimize' ? value(a) - value(b) : value(b) - value(a)) || b - a);
}

function wholeDomain(points: readonly ProgressPoint[], axis: ProgressAxis): readonly [number, number] {
  const first = points[0]?.x ?? 0;
  const last = points.at(-1)?.x ?? first;
  const least = axis === 'time' ? Math.max((last - first) * Math.max(1, 10 / points.length), 10 / 3600) : 9;
  const span = Math.max(last - first, least);
  const margin = axis === 'time' ? span * 0.015 : Math.max(0.5, span * 0.015);
  return [first - margin, first + span + margin];
}

function countRows(rows: readonly ProgressRow[], goal: Goal): ProgressTally {
  const counted = { keep: 0, discard: 0, crash: 0, other: 0 };
  for (const row of rows) if (row.word !== null) counted[row.word] += 1;
  const { other: _, ...tally } = counted;
  const keeps = rows.filter(row => kindOf(row) === 'keep').sort((a, b) => a.n - b.n);
  const best = findBest(keeps, goal);
  return {
    ...tally,
    finished: rows.length,
    best: best?.metric ?? null,
    bestExperiment: best?.n ?? null,
  };
}
