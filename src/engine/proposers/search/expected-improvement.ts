import { normalCdf, normalDensity } from '../../statistics/normal.ts';

/**
 * By how much a normally distributed value is expected to be lower than `best`, where higher values count as 0: E
 * max(best − X, 0). Jones, Schonlau and Welch, Efficient global optimization of expensive black-box functions, 1998,
 * equation 15.
 */
export function expectedImprovement(best: number, mean: number, deviation: number): number {
  const gain = best - mean;
  if (!(deviation > 0)) return Math.max(gain, 0);
  const z = gain / deviation;
  return Math.max(gain * normalCdf(z) + deviation * normalDensity(z), 0);
}
