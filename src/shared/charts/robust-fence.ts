/** How many typical distances still count as near. */
const REACH = 4;
/** With fewer measurements than this, no distance is typical yet. */
const FEW = 5;
/** With few measurements, those within this share of the reference count as near. */
const FEW_SHARE = 0.05;

/**
 * How far a measurement may be from the best value of its time and still set the chart's scale: four times the median
 * of the distances that are not zero. A median does not depend on how bad the worse half is, so one diverged
 * experiment never squashes the others. Fewer than five distances say little; then values within 5 % of `reference`
 * count as near too.
 */
export function robustFence(distances: readonly number[], reference: number): number {
  const sorted = Float64Array.from(
    distances.filter(distance => distance > 0 && Number.isFinite(distance)),
  ).sort();
  // The lower median, because the upper of two could be the terrible one.
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return Math.max(REACH * median, sorted.length < FEW ? FEW_SHARE * Math.abs(reference) : 0);
}
