import { quantileSorted } from 'd3-array';
/** Values for the Gaussian process, and the way back from there. */
export type Standardized = {
  /** By place, lower is better, the median at 0, the mean square 1. */
  readonly values: readonly number[];
  readonly invert: (value: number) => number;
};

/** In mean distances of the better half below the median: so far beyond the median badness counts in full. */
const UNSQUASHED = 3;
/** How much worse than the worst number something without one counts, in standardized units. */
const WORSE = 0.5;
/** The worst is at least so far from the median, or a crash among equals would not be seen. */
const LEAST_WORST = 1;

/**
 * The distance to the median in units of a few mean distances of those below; above it log(1 + distance), because how bad the
 * bad ones are says little of where the good ones lie; all scaled to a mean square of 1. What has no number, a crash, counts as
 * worse than all.
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
