/** 97.5 % quantiles of Student's t with 1 to 10 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2). */
const QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
const NORMAL = 1.959964;

/** Half the width of a 95 % interval, in standard deviations that were estimated with this many degrees of freedom. */
export function intervalOf(degrees: number): number {
  const known = QUANTILES[Math.max(1, Math.floor(degrees)) - 1];
  if (known !== undefined) return known;
  // Two terms of its expansion around the normal quantile (Abramowitz and Stegun 26.7.5), accurate to .001 from here
  // on.
  const z = NORMAL;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}
