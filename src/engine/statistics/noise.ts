import { REPEATABLE_DIGITS, USUAL_NOISE_SHARE } from '../../shared/verdicts/claims.ts';
import { chiSquaredQuantile } from './chi-squared.ts';

/**
 * How much the number of the same code varies from run to run. Variances of repeated runs are pooled over all commits
 * of a study and shrunk towards a prior: the conjugate scaled inverse χ² (Gelman et al., Bayesian Data Analysis, 3rd
 * edition, 2.6 and 3.3), pooled as in Smyth 2004 (doi 10.2202/1544-6115.1027).
 */
export type Noise = {
  /** s², in the square of the metric's unit. */
  readonly variance: number;
  /** ν: the number of runs beyond each commit's first, over all commits. */
  readonly degrees: number;
  /**
   * Whether every repeat, on at least two commits, gave exactly the same number, with enough digits to show a
   * difference.
   */
  readonly isRepeatable: boolean;
};

/** The prior's weight in degrees of freedom. */
const PRIOR_DEGREES = 1;

const REPEATABLE_DEGREES = 3;
const REPEATABLE_COMMITS = 2;

/** The σ over which claims are averaged: these quantiles of its posterior, with equal weights. */
const QUANTILES = [0.1, 0.3, 0.5, 0.7, 0.9];

/**
 * @param commits the numbers of all runs of each commit, in the metric's unit
 * @param baseline the baseline's record
 * @param step of the last printed digit, if it is known beyond what the numbers show
 */
export function estimateNoise(
  commits: readonly (readonly number[])[],
  baseline: number,
  step = stepOf(commits.flat()),
): Noise {
  const prior = Math.max(leastNoise(baseline), step / Math.sqrt(12));
  const repeated = commits.filter(runs => runs.length > 1);
  const degrees = repeated.reduce((sum, runs) => sum + runs.length - 1, 0);
  const squares = repeated.reduce((sum, runs) => sum + squaredDeviations(runs), 0);
  const isRepeatable =
    degrees >= REPEATABLE_DEGREES &&
    repeated.length >= REPEATABLE_COMMITS &&
    squares === 0 &&
    Math.abs(baseline) / step >= 10 ** (REPEATABLE_DIGITS - 1);
  const variance = (PRIOR_DEGREES * prior ** 2 + squares) / (PRIOR_DEGREES + degrees);
  return { variance, degrees, isRepeatable };
}

/** The plausible variances, all equally likely. */
export function plausibleVariances({ variance, degrees }: Noise): readonly number[] {
  const all = PRIOR_DEGREES + degrees;
  return QUANTILES.map(quantile => (all * variance) / chiSquaredQuantile(1 - quantile, all));
}

/** The assumed variation between runs of the same code, if nothing else is known. */
export function leastNoise(baseline: number): number {
  return USUAL_NOISE_SHARE * Math.abs(baseline);
}

/** The mean of equal numbers is exactly that number, but their sum divided by their count may not be. */
export function mean(values: readonly number[]): number {
  const [first = Number.NaN] = values;
  if (values.every(value => value === first)) return first;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squaredDeviations(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
}

const LEAST_LEVELS = 4;
const MOST_CHECKS = 2_000;
/**
 * Numbers count as shares of one total only if chance would make them so with a lower probability than this, whatever
 * the total.
 */
const BY_CHANCE = 2e-3;

/**
 * The smallest possible difference of two numbers: the last printed digit, or one of N checks if the numbers are
 * shares of N.
 * @param printed the last digit's step, if it is known beyond what the numbers show
 */
export function stepOf(values: readonly number[], printed = printedStep(values)): number {
  const levels = [...new Set(values)];
  const isShare = levels.every(value => value >= 0 && value <= 1);
  const isPercent = !isShare && levels.every(value => value >= 0 && value <= 100);
  if (levels.length < LEAST_LEVELS || !(isShare || isPercent)) return printed;
  const whole = isShare ? 1 : 100;
  // The sum over N of (N × printed / whole) to the power of how many numbers there are.
  const all = levels.length;
  const most = Math.min(MOST_CHECKS, (BY_CHANCE * (all + 1) * (whole / printed) ** all) ** (1 / (all + 1)));
  for (let checks = 2; checks <= most; checks += 1) {
    const step = whole / checks;
    if (levels.every(value => Math.abs(value - step * Math.round(value / step)) <= printed * 0.5001))
      return step;
  }
  return printed;
}

/** The step of the last printed digit, as far as the numbers show it. */
function printedStep(values: readonly number[]): number {
  const decimals = values.map(value => {
    const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
    return fraction.length - Number(exponent);
  });
  return 10 ** -Math.max(0, ...decimals);
}
