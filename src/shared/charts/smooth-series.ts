/** The state of a moving average, so that later values can continue it. */
export type AverageState = { readonly sum: number; readonly count: number };

const NO_AVERAGE: AverageState = { sum: 0, count: 0 };

/** The strongest smoothing that can be chosen. */
export const MOST_SMOOTHING = 0.99;

/**
 * Exponential moving average over the values in order, whatever their distance, without the bias of the first values
 * towards 0: sₙ = w · sₙ₋₁ + (1 − w) · yₙ from s₀ = 0, shown as sₙ / (1 − wⁿ). This is the same as `classicSmoothing`
 * in TensorBoard's line charts (webapp, data_transformer.ts); the correction is Adam's (Kingma and Ba, 2015, section
 * 3). A value that is not finite stays a gap and is ignored.
 * @param weight w, from 0 to less than 1; 0 leaves the values unchanged
 * @param from the state after earlier values
 */
export function smoothSeries(
  y: readonly (number | null)[],
  weight: number,
  from: AverageState = NO_AVERAGE,
): { readonly y: readonly (number | null)[]; readonly state: AverageState } {
  let { sum, count } = from;
  const smooth = y.map(value => {
    if (value === null || !Number.isFinite(value)) return null;
    sum = weight * sum + (1 - weight) * value;
    count += 1;
    return sum / (1 - weight ** count);
  });
  return { y: smooth, state: { sum, count } };
}
