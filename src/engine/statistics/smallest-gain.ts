import { PROVEN } from './claims.ts';
import { believe, PRIOR_WEIGHTS } from './effects.ts';
import { mean, type Noise, plausibleVariances } from './noise.ts';

/** In units of σ: no noise hides a larger difference. */
const MOST = 1e4;
const BISECTIONS = 60;

/**
 * The smallest difference of two means that counts as a proven gain, by the rule for claims with its initial weights;
 * the probability is averaged over the plausible values of σ.
 * @param runs how many numbers each of the two means has
 * @returns in the metric's unit, above 0
 */
export function smallestGain(
  noise: Noise,
  runs: { readonly parent: number; readonly attempt: number },
): number {
  const variances = plausibleVariances(noise);
  const share = 1 / runs.parent + 1 / runs.attempt;
  const isProven = (gain: number) =>
    mean(variances.map(s2 => believe({ difference: -gain, variance: s2 * share }, s2, PRIOR_WEIGHTS).gain)) >=
    PROVEN;
  let [low, high] = [0, MOST * Math.sqrt(noise.variance)];
  for (let round = 0; round < BISECTIONS; round += 1) {
    const middle = (low + high) / 2;
    if (isProven(middle)) high = middle;
    else low = middle;
  }
  return high;
}
