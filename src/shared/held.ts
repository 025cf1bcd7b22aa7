/**
 * What the branch holds: the experiment that it stands at, and what that was built on.
 * @param best null before the baseline
 * @param parentOf the experiment that one was made on; null for the baseline, and where it is not known
 */
export function heldBy(best: number | null, parentOf: (n: number) => number | null): ReadonlySet<number> {
  const held = new Set<number>();
  for (let n = best; n !== null && !held.has(n); n = parentOf(n)) held.add(n);
  return held;
}
