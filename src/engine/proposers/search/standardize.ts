/** Values for the Gaussian process, and the way back from there. */
export type Standardized = {
  /** By place, lower is better, the median at 0. */
  readonly values: readonly number[];
  readonly invert: (value: number) => number;
};

/** How much worse than the worst number something without one counts, in standardized units. */
const WORSE = 0.5;
/** The worst is at least so far from the median, or a crash among equals would not be seen. */
const LEAST_WORST = 1;

/**
 * The distance to the median in units of the mean distance of those below; above it log(1 + distance), because how bad the bad
 * ones are says little of where the good ones lie. What has no number, a crash, counts as worse than all.
 */
export function standardize(values: readonly (number | null)[]): Standardized {
  const known = values.filter(value => value !== null).sort((a, b) => a - b);
  const median = known.length === 0 ? 0 : quantile(known, 0.5);
  const below = known.filter(value => value < median);
  const spread = below.reduce((sum, value) => sum + median - value, 0) / Math.max(1, below.length);
  const unit = spread > 0 ? spread : Math.max(Math.abs(median) * 0.01, Number.MIN_VALUE * 2 ** 60);
  const squash = (value: number) => {
    const distance = (value - median) / unit;
    return distance > 0 ? Math.log1p(distance) : distance;
  };
  const worst = Math.max(LEAST_WORST, known.length === 0 ? 0 : squash(known.at(-1) ?? 0)) + WORSE;
  return {
    values: values.map(value => (value === null ? worst : squash(value))),
    invert: value => median + unit * (value > 0 ? Math.expm1(value) : value),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? 0;
  return low + (high - low) * (place - Math.floor(place));
}
