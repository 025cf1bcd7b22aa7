/** Where a moving average stands, so that it can go on with what comes later. */
export type AverageState = { readonly sum: number; readonly count: number };

const NO_AVERAGE: AverageState = { sum: 0, count: 0 };

/** The strongest smoothing that can be chosen. */
export const MOST_SMOOTHING = 0.99;

/**
 * Exponential moving average over the values in their order, however far apart they are, without the bias towards 0 of its first
 * values: sₙ = w · sₙ₋₁ + (1 − w) · yₙ from s₀ = 0, shown as sₙ / (1 − wⁿ). So does `classicSmoothing` in TensorBoard's line charts
 * (webapp, data_transformer.ts); the correction is Adam's (Kingma and Ba, 2015, section 3). A value that is not finite stays a
 * gap and does not count.
 * @param weight w, from 0 to less than 1; 0 gives the values as they are
 * @param from where the average of earlier values stands
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
