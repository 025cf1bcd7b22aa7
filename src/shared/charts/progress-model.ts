import type { Goal } from '../contract/contract.ts';
import { findBest, runningBest, type VerdictWord } from '../study.ts';
import type { Claim } from '../verdicts/claims.ts';
import { LARGEST_DRAWN } from './axis-range.ts';
import type { ProgressAxis, ProgressView } from './progress-view.ts';
import { robustFence } from './robust-fence.ts';
import { shorten } from './shorten.ts';

/**
 * One experiment for the chart. `at` is when it ended, or else started, in milliseconds since the epoch; NaN if
 * unknown.
 */
export type ProgressRow = {
  readonly n: number;
  readonly at: number;
  readonly word: VerdictWord | null;
  readonly metric: number | null;
  readonly hypothesis: string | null;
  /** How certain a keep's gain is; absent if nothing is claimed about it. */
  readonly claim?: ProgressClaim | undefined;
  /** Whether it is a keep whose edit left the branch, in a study that claims anything: drawn like an unproven one. */
  readonly isSuperseded?: boolean;
  /** Whether a filter leaves it out: it is then drawn faintly, without a label. */
  readonly isDimmed?: boolean;
};

export type ProgressClaim = Pick<Claim, 'probability' | 'isProven'>;

/**
 * How a row is drawn, by its verdict. `other` looks like a discard, because neither was kept. `blank` has no number
 * although it did not crash.
 */
type PointKind = 'discard' | 'keep' | 'crash' | 'blank';

export type ProgressPoint = {
  readonly row: ProgressRow;
  readonly kind: PointKind;
  /** In the unit of the axis. */
  readonly x: number;
  /** NaN if the kind is `crash` or `blank`. */
  readonly value: number;
  /** Whether the value may set the scale: it was kept, or is near the best of its time. See `robustFence`. */
  readonly isNear: boolean;
  /** A keep's hypothesis, short enough for the chart; '' if there is none. */
  readonly label: string;
};

/** The rows prepared for an axis, independent of view and size. */
export type ProgressModel = {
  readonly axis: ProgressAxis;
  readonly goal: Goal;
  /** Finished rows in order of x. */
  readonly points: readonly ProgressPoint[];
  /** Index in `points` by experiment number. */
  readonly indexOf: ReadonlyMap<number, number>;
  /** Where the running best changes, in order of x. */
  readonly steps: readonly { readonly x: number; readonly best: number }[];
  /** Indices in `points` of keeps, in the order in which they get labels: the best, then by gain. */
  readonly labelOrder: readonly number[];
  /** Whether half of the experiments gained only the last few percent: see `FLAT_SHARE`. */
  readonly isFlat: boolean;
  /** The whole range with a margin; at least ten experiments, so that the first ones do not fill the width. */
  readonly whole: readonly [number, number];
  readonly tally: ProgressTally;
};

type ProgressTally = {
  readonly finished: number;
  readonly best: number | null;
  readonly bestExperiment: number | null;
};

const MOST_LABEL_CHARACTERS = 36;
const MS_PER_HOUR = 3_600_000;
/**
 * The share of the total gain that remains after half of the experiments. Below this share, the steps of the second
 * half are within one dot of the window's chart, which is about 130 px high.
 */
const FLAT_SHARE = 0.06;

/** @param incumbent the experiment that counts as the best, if known; otherwise the one with the best number */
export function progressModel(
  rows: readonly ProgressRow[],
  goal: Goal,
  axis: ProgressAxis,
  incumbent: number | null = null,
): ProgressModel {
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
  const gains: number[] = [];
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
    gains.push(now === null || last === null ? 0 : Math.abs(now - last));
    if (now !== null && now !== last) steps.push({ x, best: now });
    last = now;
  });
  const tally = countRows(finished, goal, incumbent);
  return {
    axis,
    goal,
    points,
    indexOf: new Map(points.map((point, index) => [point.row.n, index])),
    steps,
    labelOrder: labelOrder(points, gains, tally.bestExperiment),
    isFlat: isFlat(best),
    whole: wholeDomain(points, axis),
    tally,
  };
}

function kindOf(row: ProgressRow): PointKind {
  // A crash stays a crash whatever its column says: upstream's table has 0.000000 there.
  if (row.word === 'crash') return 'crash';
  if (row.metric === null || !(Math.abs(row.metric) <= LARGEST_DRAWN)) return 'blank';
  return row.word === 'keep' ? 'keep' : 'discard';
}

/** Returns a test of whether a discard's value is near the best of its time. */
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

function labelOrder(
  points: readonly ProgressPoint[],
  gains: readonly number[],
  best: number | null,
): readonly number[] {
  const gain = (index: number) =>
    points[index]?.row.n === best ? Number.POSITIVE_INFINITY : (gains[index] ?? 0);
  const keeps = points.flatMap((point, index) => (point.kind === 'keep' ? [index] : []));
  return keeps.sort((a, b) => (gain(a) === gain(b) ? b - a : gain(b) - gain(a)));
}

function isFlat(best: readonly (number | null)[]): boolean {
  const known = best.filter(value => value !== null);
  const [first, middle, last] = [known[0], known[Math.floor(known.length / 2)], known.at(-1)];
  if (first === undefined || middle === undefined || last === undefined) return false;
  return Math.abs(middle - last) < FLAT_SHARE * Math.abs(first - last);
}

function wholeDomain(points: readonly ProgressPoint[], axis: ProgressAxis): readonly [number, number] {
  const first = points[0]?.x ?? 0;
  const last = points.at(-1)?.x ?? first;
  const least = axis === 'time' ? Math.max((last - first) * Math.max(1, 10 / points.length), 10 / 3600) : 9;
  const span = Math.max(last - first, least);
  const margin = axis === 'time' ? span * 0.015 : Math.max(0.5, span * 0.015);
  return [first - margin, first + span + margin];
}

function countRows(rows: readonly ProgressRow[], goal: Goal, incumbent: number | null): ProgressTally {
  const keeps = rows.filter(row => kindOf(row) === 'keep').sort((a, b) => a.n - b.n);
  const best = keeps.find(({ n }) => n === incumbent) ?? findBest(keeps, goal);
  return {
    finished: rows.length,
    best: best?.metric ?? null,
    bestExperiment: best?.n ?? null,
  };
}

/** A logarithmic scale needs a best value to measure from, and a gain. */
export function hasLogScale(model: ProgressModel, scale: ProgressView['scale']): boolean {
  if (model.tally.best === null || model.steps.length < 2) return false;
  return scale === 'log' || (scale === 'auto' && model.isFlat);
}
