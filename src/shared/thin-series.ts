import { finiteOrNull } from './numbers.ts';

type Thinned = { x: number[]; y: (number | null)[] };

/**
 * A series thinned to what `width` pixels can show without losing an extreme or a gap.
 *
 * `x` is cut into `width` (rounded down, at least 1) buckets of equal span; where `x` is not ascending or has no
 * span, into buckets of equal count. Each bucket keeps its first and last point, its first smallest and first largest
 * finite value, and its first and last point without a finite value, in their order. So the result has at most
 * 6 × `width` points. A series of at most 2 × `width` points comes back whole.
 *
 * A value that is not finite is null in the result. Where `x` and `y` differ in length the longer one is cut.
 */
export function thinSeries(x: readonly number[], y: readonly (number | null)[], width: number): Thinned {
  const buckets = Math.max(1, Math.floor(width) || 1);
  const count = Math.min(x.length, y.length);
  const thinned: Thinned = { x: [], y: [] };
  const keep = (index: number) => {
    thinned.x.push(x[index] ?? 0);
    thinned.y.push(finiteOrNull(y[index]));
  };
  if (count <= 2 * buckets) {
    for (let index = 0; index < count; index += 1) keep(index);
    return thinned;
  }
  const bucketOf = bucketRule(x, count, buckets);
  for (let start = 0; start < count; ) {
    const bucket = bucketOf(start);
    let end = start + 1;
    while (end < count && bucketOf(end) === bucket) end += 1;
    for (const index of pointsToKeep(y, start, end)) keep(index);
    start = end;
  }
  return thinned;
}

function bucketRule(x: readonly number[], count: number, buckets: number): (index: number) => number {
  const first = x[0] ?? 0;
  const span = (x[count - 1] ?? 0) - first;
  let isAscending = Number.isFinite(span) && span > 0;
  for (let index = 1; index < count && isAscending; index += 1) {
    // Written so that NaN counts as not ascending.
    isAscending = (x[index] ?? 0) >= (x[index - 1] ?? 0);
  }
  if (!isAscending) return index => Math.floor((index / count) * buckets);
  return index => Math.min(buckets - 1, Math.floor((((x[index] ?? 0) - first) / span) * buckets));
}

/** Indices from `start` to before `end` that must stay, ascending. */
function pointsToKeep(y: readonly (number | null)[], start: number, end: number): readonly number[] {
  const kept = new Set([start, end - 1]);
  let smallest = -1;
  let largest = -1;
  let firstGap = -1;
  let lastGap = -1;
  for (let index = start; index < end; index += 1) {
    const value = finiteOrNull(y[index]);
    if (value === null) {
      if (firstGap < 0) firstGap = index;
      lastGap = index;
      continue;
    }
    if (smallest < 0 || value < (y[smallest] ?? 0)) smallest = index;
    if (largest < 0 || value > (y[largest] ?? 0)) largest = index;
  }
  for (const index of [smallest, largest, firstGap, lastGap]) if (index >= 0) kept.add(index);
  return [...kept].sort((a, b) => a - b);
}
