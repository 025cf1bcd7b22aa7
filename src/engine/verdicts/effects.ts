import { hazard, normalCdf, normalDensity } from './normal.ts';

/**
 * What is believed of an edit's true effect before and after it was measured: a mixture of "none at all", of gains and of
 * losses of several sizes, each a half-normal (adaptive shrinkage, Stephens 2017, doi 10.1093/biostatistics/kxw041). All
 * numbers are oriented so that lower is better.
 */

/** Standard deviations of the half-normals, in units of the noise's. */
const SCALES = [0.5, 1, 2, 4, 8, 16, 32];
/** Weights fitted to the deltas of upstream's published log: no effect, gains and losses by {@link SCALES}. */
const NONE = 0.17;
const GAINS = [0.18, 0.05, 0.08, 0.03, 0.012, 0.005, 0.003];
const LOSSES = [0.06, 0.14, 0.08, 0.07, 0.09, 0.02, 0.01];
/** None, then gains, then losses. */
export const PRIOR_WEIGHTS: readonly number[] = [NONE, ...GAINS, ...LOSSES];

/** As many observations the prior counts for when a study's own refit it. */
const PRIOR_COUNT = 20;
const MAX_ROUNDS = 200;
const SETTLED = 1e-6;

/** One difference to a parent that was measured. */
export type Observation = {
  /** x: the attempt's mean minus what is believed of its parent. */
  readonly difference: number;
  /** S²: the variance of that, by noise alone. */
  readonly variance: number;
};

export type Effect = {
  /** The probability that the edit is a gain. */
  readonly gain: number;
  /** Mean and variance of the true effect. */
  readonly mean: number;
  readonly variance: number;
};

/** How likely each component of the mixture makes an observation. */
function likelihoods({ difference: x, variance: S2 }: Observation, noise: number): number[] {
  const half = (side: 1 | -1) =>
    SCALES.map(scale => {
      const t2 = scale ** 2 * noise;
      const { deviation, centre } = shrunk(side * x, t2, S2);
      return 2 * normalDensity(x, t2 + S2) * normalCdf(-centre / deviation);
    });
  return [normalDensity(x, S2), ...half(1), ...half(-1)];
}

/** The normal that the product of prior and likelihood is before it is cut off at 0. */
function shrunk(x: number, t2: number, S2: number): { readonly centre: number; readonly deviation: number } {
  return { centre: (x * t2) / (t2 + S2), deviation: Math.sqrt((t2 * S2) / (t2 + S2)) };
}

/**
 * The weights that suit the study's own observations, by expectation maximisation.
 * @param noise σ², in the square of the metric's unit
 */
export function fitWeights(observations: readonly Observation[], noise: number): readonly number[] {
  const all = observations.map(observation => likelihoods(observation, noise));
  let weights = PRIOR_WEIGHTS;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const counts = PRIOR_WEIGHTS.map(weight => PRIOR_COUNT * weight);
    for (const likelihood of all) {
      const total = likelihood.reduce((sum, value, place) => sum + value * (weights[place] ?? 0), 0);
      if (total <= 0) continue;
      for (const [place, value] of likelihood.entries())
        counts[place] = (counts[place] ?? 0) + (value * (weights[place] ?? 0)) / total;
    }
    const sum = counts.reduce((one, other) => one + other, 0);
    const next = counts.map(count => count / sum);
    const moved = Math.max(...next.map((weight, place) => Math.abs(weight - (weights[place] ?? 0))));
    weights = next;
    if (moved < SETTLED) break;
  }
  return weights;
}

/** What an observation leaves to be believed of the effect. */
export function believe(observation: Observation, noise: number, weights: readonly number[]): Effect {
  const { difference: x, variance: S2 } = observation;
  const likelihood = likelihoods(observation, noise);
  const masses = likelihood.map((value, place) => value * (weights[place] ?? 0));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  // So far out that no component reaches there: its side is certain, and the measured value stands.
  if (!(total > 0)) return { gain: x < 0 ? 1 : 0, mean: x, variance: S2 };
  let [gain, first, second] = [0, 0, 0];
  for (const [place, mass] of masses.entries()) {
    if (place === 0) continue;
    const isGain = place <= SCALES.length;
    const side = isGain ? 1 : -1;
    const scale = SCALES[(place - 1) % SCALES.length] ?? 0;
    const { centre, deviation } = shrunk(side * x, scale ** 2 * noise, S2);
    const lambda = hazard(-centre / deviation);
    if (isGain) gain += mass;
    first += mass * side * (centre - deviation * lambda);
    second += mass * (centre ** 2 + deviation ** 2 - centre * deviation * lambda);
  }
  const mean = first / total;
  return { gain: gain / total, mean, variance: Math.max(0, second / total - mean ** 2) };
}
