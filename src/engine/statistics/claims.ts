import type { Claim } from '../../shared/verdicts/claims.ts';
import { supersededBy } from '../../shared/verdicts/late.ts';
import { believe, type Effect, fitWeights, type Observation, PRIOR_WEIGHTS } from './effects.ts';
import { estimateNoise, mean, type Noise, plausibleVariances } from './noise.ts';

/** An experiment as the claims see it: the numbers of all its runs, and its parent. */
export type Trial = {
  readonly n: number;
  /** In the order they were measured; not empty. */
  readonly values: readonly number[];
  /** The experiment that was the incumbent; null for the baseline. */
  readonly parent: number | null;
  /** Whether it is part of the branch: kept, and not taken back. */
  readonly isKept: boolean;
  /** Whether it was kept, and taken back. */
  readonly isTakenBack?: boolean;
  /** Whether it was kept for fewer lines, which is never a gain. */
  readonly isSimplified?: boolean;
  /** The keeps whose place it took. */
  readonly supersedes?: readonly number[];
};

export type Assessment = {
  readonly noise: Noise;
  /** For each keep after the baseline, in the branch's order. */
  readonly claims: readonly Claim[];
};

export const PROVEN = 0.95;
/** Fewer repeats say too little about the noise. */
const PROVEN_DEGREES = 3;
/** How many of the newest trials the weights are fitted to: more would take longer and add nothing. */
const MOST_FITTED = 300;

/**
 * What a study's numbers allow to claim.
 * @param trials oldest first, starting with the baseline; numbers oriented so that lower is better
 */
export function assess(trials: readonly Trial[]): Assessment | null {
  const [baseline] = trials;
  if (!baseline) return null;
  const noise = estimateNoise(
    trials.map(({ values }) => values),
    mean(baseline.values),
  );
  const kept = trials.filter(
    ({ isKept, parent, isSimplified }) => isKept && parent !== null && isSimplified !== true,
  );
  // A training that always gives exactly the same number has no noise, so its differences are exact.
  const beliefs = noise.isRepeatable
    ? []
    : plausibleVariances(noise).map(variance => believeAll(trials, variance));
  const better = noise.isRepeatable ? betterThanParents(trials) : new Set();
  const claims = kept.map(({ n }) => {
    const probability = noise.isRepeatable
      ? Number(better.has(n))
      : mean(beliefs.map(belief => belief.get(n)?.gain ?? 0));
    return { n, probability, isProven: probability >= PROVEN && noise.degrees >= PROVEN_DEGREES };
  });
  return { noise, claims };
}

/**
 * The same trials, with only those as keeps whose edits the branch still contains. A keep that took the place of others
 * is compared with the one before them, because its edit was not made on theirs.
 * @param trials in the order of their verdicts
 */
export function onBranch(trials: readonly Trial[]): readonly Trial[] {
  const replaced = supersededBy(trials.filter(({ isKept }) => isKept));
  const parents = new Map(trials.map(({ n, parent }) => [n, parent]));
  const parentOf = (n: number | null): number | null =>
    n !== null && replaced.has(n) ? parentOf(parents.get(n) ?? null) : n;
  return trials.map(trial => {
    if (replaced.has(trial.n)) return { ...trial, isKept: false, isTakenBack: true };
    return trial.isKept ? { ...trial, parent: parentOf(trial.parent) } : trial;
  });
}

/** Trials whose mean is better than their parent's. */
function betterThanParents(trials: readonly Trial[]): ReadonlySet<number> {
  const means = new Map(trials.map(({ n, values }) => [n, mean(values)]));
  const isBetter = ({ n, parent }: Trial) =>
    parent !== null && (means.get(n) ?? Number.NaN) < (means.get(parent) ?? Number.NaN);
  return new Set(trials.filter(isBetter).map(({ n }) => n));
}

/** The posterior of a commit's true number. */
type State = { readonly mean: number; readonly variance: number };

/** The posterior effects of all keeps for one noise level, along the chain from the baseline to the incumbent. */
function believeAll(trials: readonly Trial[], noise: number): ReadonlyMap<number, Effect> {
  const { observations } = filter(trials, noise, PRIOR_WEIGHTS);
  const weights = fitWeights(observations.slice(-MOST_FITTED), noise);
  return filter(trials, noise, weights).effects;
}

function filter(trials: readonly Trial[], noise: number, weights: readonly number[]) {
  const states = new Map<number, State>();
  const effects = new Map<number, Effect>();
  const observations: Observation[] = [];
  for (const { n, values, parent, isKept, isTakenBack } of trials) {
    const own = noise / values.length;
    const measured = mean(values);
    const from = parent === null ? null : states.get(parent);
    if (!from) {
      if (isKept) states.set(n, { mean: measured, variance: own });
      continue;
    }
    const observation = { difference: measured - from.mean, variance: own + from.variance };
    observations.push(observation);
    // A keep that was taken back was the parent of others for a while.
    if (!isKept && !isTakenBack) continue;
    const effect = believe(observation, noise, weights);
    effects.set(n, effect);
    const share = own / observation.variance;
    states.set(n, {
      mean: measured - share * (observation.difference - effect.mean),
      variance: (own * from.variance) / observation.variance + share ** 2 * effect.variance,
    });
  }
  return { effects, observations };
}
