/**
 * The experiments that the branch contains: the one it points at, and its ancestors.
 * @param best null before the baseline
 * @param parentOf the experiment on which one was made; null for the baseline, and if unknown
 */
export function heldBy(best: number | null, parentOf: (n: number) => number | null): ReadonlySet<number> {
  const held = new Set<number>();
  for (let n = best; n !== null && !held.has(n); n = parentOf(n)) held.add(n);
  return held;
}
