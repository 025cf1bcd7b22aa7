import { quantileSorted } from 'd3-array';
/** Values for the Gaussian process, and how to convert them back. */
export type Standardized = {
  /** By index; lower is better, the median is 0, the mean square is 1. */
  readonly values: readonly number[];
  readonly invert: (value: number) => number;
};

/** Up to this far beyond the median, bad values count in full. In mean distances of the better half from the median. */
const UNSQUASHED = 3;
/** By how much a trial without a number is worse than the worst number, in standardized units. */
const WORSE = 0.5;
/** The worst value is at least this far from the median; otherwise a crash among equals would not show. */
const LEAST_WORST = 1;

/**
 * Measures the distance to the median in units of a few mean distances of the better half; above that it takes log(1
 * + distance), because how bad the bad values are says little about where the good ones are; then scales everything
 * to a mean square of 1. A trial without a number, such as a crash, counts as the worst.
 */
export function standardize(values: readonly (number | null)[]): Standardized {
  const known = values.filter(value => value !== null).sort((a, b) => a - b);
  const median = quantileSorted(known, 0.5) ?? 0;
  const below = known.filter(value => value < median);
  const spread = below.reduce((sum, value) => sum + median - value, 0) / Math.max(1, below.length);
  const unit =
    spread > 0 ? UNSQUASHED * spread : Math.max(Math.abs(median) * 0.01, Number.MIN_VALUE * 2 ** 60);
  const squash = (value: number) => {
    const distance = (value - median) / unit;
    return distance > 0 ? Math.log1p(distance) : distance;
  };
  const squashed = known.map(squash);
  const square = squashed.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, known.length);
  const deviation = square > 0 ? Math.sqrt(square) : 1;
  const scaled = (value: number) => squash(value) / deviation;
  const worst = Math.max(LEAST_WORST, known.length === 0 ? 0 : scaled(known.at(-1) ?? 0)) + WORSE;
  return {
    values: values.map(value => (value === null ? worst : scaled(value))),
    invert(value) {
      const own = value * deviation;
      return median + unit * (own > 0 ? Math.expm1(own) : own);
    },
  };
}
