/** The parts of the standard normal distribution that the claims need. */

const SQRT_2PI = Math.sqrt(2 * Math.PI);
/** Below this, the series loses its digits to cancellation, while the continued fraction is short. */
const TAIL = -4;
const SERIES_TERMS = 200;
const FRACTION_TERMS = 60;

export function normalDensity(x: number, variance = 1): number {
  return Math.exp((-0.5 * x * x) / variance) / (SQRT_2PI * Math.sqrt(variance));
}

/**
 * Φ(z). The series is Marsaglia's (Evaluating the Normal Distribution, Journal of Statistical Software 11(4), 2004).
 */
export function normalCdf(z: number): number {
  if (z > -TAIL) return 1 - normalCdf(-z);
  if (z < TAIL) return normalDensity(z) / reversedMills(z);
  let [sum, term] = [z, z];
  for (let k = 1; k < SERIES_TERMS && Math.abs(term) > Number.EPSILON * Math.abs(sum); k += 1) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + normalDensity(z) * sum;
}

/** λ(z) = φ(z)/Φ(z): by how much truncation at 0 moves a normal's mean. Grows like −z for very negative z. */
export function hazard(z: number): number {
  return z < TAIL ? reversedMills(z) : normalDensity(z) / normalCdf(z);
}

/** φ(z)/Φ(z) in the lower tail, by Laplace's continued fraction (Abramowitz and Stegun 26.2.14). */
function reversedMills(z: number): number {
  let fraction = -z;
  for (let k = FRACTION_TERMS; k > 0; k -= 1) fraction = -z + k / fraction;
  return fraction;
}
