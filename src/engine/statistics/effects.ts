import { hazard, normalCdf, normalDensity } from './normal.ts';

/**
 * Prior and posterior of an edit's true effect: a mixture of "none at all", of gains and of losses of several sizes,
 * each a half-normal (adaptive shrinkage, Stephens 2017, doi 10.1093/biostatistics/kxw041). All numbers are oriented
 * so that lower is better.
 */

/** Standard deviations of the half-normals, in units of the noise's standard deviation. */
export const SCALES: readonly number[] = [0.5, 1, 2, 4, 8, 16, 32];
/** Weights fitted to the deltas of upstream's published log: no effect, gains and losses by {@link SCALES}. */
const NONE = 0.17;
const GAINS = [0.18, 0.05, 0.08, 0.03, 0.012, 0.005, 0.003];
const LOSSES = [0.06, 0.14, 0.08, 0.07, 0.09, 0.02, 0.01];
/** No effect, then gains, then losses. */
export const PRIOR_WEIGHTS: readonly number[] = [NONE, ...GAINS, ...LOSSES];

/** How many observations the prior counts as when it is refitted to a study's own. */
const PRIOR_COUNT = 20;
const MAX_ROUNDS = 60;
/** Probabilities are reported in whole percent. */
const SETTLED = 1e-4;

/** A measured difference from a parent. */
export type Observation = {
  /** x: the attempt's mean minus the estimate for its parent. */
  readonly difference: number;
  /** S²: the variance of this difference caused by noise alone. */
  readonly variance: number;
};

export type Effect = {
  /** The probability that the edit is a gain. */
  readonly gain: number;
  /** Mean and variance of the true effect. */
  readonly mean: number;
  readonly variance: number;
};

/** The likelihood of an observation under each component of the mixture, written to `into` from `start` on. */
function addLikelihoods(
  { difference: x, variance: S2 }: Observation,
  noise: number,
  into: Float64Array,
  start: number,
): void {
  into[start] = normalDensity(x, S2);
  for (let place = 0; place < SCALES.length; place += 1) {
    const t2 = (SCALES[place] ?? 0) ** 2 * noise;
    // Mean over standard deviation of the normal that prior and likelihood give together, before it is truncated at
    // 0.
    const z = (x * t2) / (t2 + S2) / Math.sqrt((t2 * S2) / (t2 + S2));
    const twice = 2 * normalDensity(x, t2 + S2);
    into[start + 1 + place] = twice * normalCdf(-z);
    into[start + 1 + SCALES.length + place] = twice * normalCdf(z);
  }
}

/**
 * Fits the weights to the study's own observations by expectation maximisation. Uses plain loops over one array,
 * because a night has some hundred observations, and the training loop waits for this.
 * @param noise σ², in the square of the metric's unit
 */
export function fitWeights(observations: readonly Observation[], noise: number): readonly number[] {
  const size = PRIOR_WEIGHTS.length;
  const all = new Float64Array(size * observations.length);
  for (const [row, observation] of observations.entries())
    addLikelihoods(observation, noise, all, size * row);
  const weights = Float64Array.from(PRIOR_WEIGHTS);
  const counts = new Float64Array(size);
  for (let round = 0, moved = 1; round < MAX_ROUNDS && moved > SETTLED; round += 1) {
    for (let place = 0; place < size; place += 1) counts[place] = PRIOR_COUNT * (PRIOR_WEIGHTS[place] ?? 0);
    let seen = PRIOR_COUNT;
    for (let row = 0; row < all.length; row += size) {
      let total = 0;
      for (let place = 0; place < size; place += 1) total += (all[row + place] ?? 0) * (weights[place] ?? 0);
      // This far out, every component's density underflows.
      if (!(total > 0)) continue;
      seen += 1;
      for (let place = 0; place < size; place += 1)
        counts[place] = (counts[place] ?? 0) + ((all[row + place] ?? 0) * (weights[place] ?? 0)) / total;
    }
    moved = 0;
    for (let place = 0; place < size; place += 1) {
      const next = (counts[place] ?? 0) / seen;
      moved = Math.max(moved, Math.abs(next - (weights[place] ?? 0)));
      weights[place] = next;
    }
  }
  return [...weights];
}

const masses = new Float64Array(PRIOR_WEIGHTS.length);

/** The posterior of the effect, given an observation. */
export function believe(observation: Observation, noise: number, weights: readonly number[]): Effect {
  const { difference: x, variance: S2 } = observation;
  addLikelihoods(observation, noise, masses, 0);
  let total = 0;
  for (let place = 0; place < masses.length; place += 1) {
    masses[place] = (masses[place] ?? 0) * (weights[place] ?? 0);
    total += masses[place] ?? 0;
  }
  // This far out, every component's density underflows: the sign is certain, and the measured value counts.
  if (!(total > 0)) return { gain: x < 0 ? 1 : 0, mean: x, variance: S2 };
  let [gain, first, second] = [0, 0, 0];
  for (let place = 1; place < masses.length; place += 1) {
    const mass = masses[place] ?? 0;
    const side = place <= SCALES.length ? 1 : -1;
    const t2 = (SCALES[(place - 1) % SCALES.length] ?? 0) ** 2 * noise;
    const centre = (side * x * t2) / (t2 + S2);
    const deviation = Math.sqrt((t2 * S2) / (t2 + S2));
    const lambda = hazard(-centre / deviation);
    if (side === 1) gain += mass;
    first += mass * side * (centre - deviation * lambda);
    second += mass * (centre * centre + deviation * deviation - centre * deviation * lambda);
  }
  const mean = first / total;
  return { gain: gain / total, mean, variance: Math.max(0, second / total - mean * mean) };
}
