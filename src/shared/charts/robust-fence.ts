/** Multiple of the typical distance that still counts as near. */
const REACH = 4;
/** With fewer measurements than this nothing is typical yet. */
const FEW = 5;
/** How far from the reference, as a share of it, few measurements may lie and still be near. */
const FEW_SHARE = 0.05;

/**
 * How far a measurement may lie from the best value of its time and still set the scale of the chart: four times the
 * median of the distances that are not zero. A median does not move however terrible the worse half is, so one
 * diverged experiment never squashes the others. Fewer than five distances say little; then 5 % of `reference` counts
 * as near, too.
 */
export function robustFence(distances: readonly number[], reference: number): number {
  const sorted = Float64Array.from(
    distances.filter(distance => distance > 0 && Number.isFinite(distance)),
  ).sort();
  // The lower median: of two, one may be the terrible one.
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return Math.max(REACH * median, sorted.length < FEW ? FEW_SHARE * Math.abs(reference) : 0);
}
