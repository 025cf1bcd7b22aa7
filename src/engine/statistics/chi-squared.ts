/** Quantiles of the χ² distribution, for the posterior of a variance. */

const MAX_TERMS = 10_000;
const BISECTIONS = 200;

/**
 * The value that a χ² variable with `degrees` degrees of freedom stays below with this probability.
 * @param probability above 0 and below 1
 */
export function chiSquaredQuantile(probability: number, degrees: number): number {
  let low = 0;
  let high = Math.max(1, degrees);
  while (lowerGamma(degrees / 2, high / 2) < probability) high *= 2;
  for (let round = 0; round < BISECTIONS && high - low > Number.EPSILON * high; round += 1) {
    const middle = (low + high) / 2;
    if (lowerGamma(degrees / 2, middle / 2) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised lower incomplete gamma function P(a, x) by its series (DLMF 8.11.4), whose terms are all positive. */
function lowerGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  let term = 1 / a;
  let sum = term;
  for (let k = 1; k < MAX_TERMS && term > Number.EPSILON * sum; k += 1) {
    term *= x / (a + k);
    sum += term;
  }
  return Math.min(1, sum * Math.exp(a * Math.log(x) - x - logGamma(a)));
}

/**
 * ln Γ(a) for a > 0: Stirling's series (DLMF 5.11.1) where it is exact to the last digits, and the recurrence below
 * that.
 */
function logGamma(a: number): number {
  let shift = 0;
  let x = a;
  for (; x < 10; x += 1) shift += Math.log(x);
  const square = x * x;
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / x;
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series - shift;
}
