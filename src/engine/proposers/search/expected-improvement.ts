import { normalCdf, normalDensity } from '../../verdicts/normal.ts';

/**
 * How much lower than `best` a normal value is expected to be, counting nothing where it is higher: E max(best − X, 0).
 * Jones, Schonlau and Welch, Efficient global optimization of expensive black-box functions, 1998, equation 15.
 */
export function expectedImprovement(best: number, mean: number, deviation: number): number {
  const gain = best - mean;
  if (!(deviation > 0)) return Math.max(gain, 0);
  const z = gain / deviation;
  return Math.max(gain * normalCdf(z) + deviation * normalDensity(z), 0);
}
