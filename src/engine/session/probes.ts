import type { Hint, ProbeEvidence, ProbeReason } from '../../shared/probes.ts';
import { isBetter } from '../../shared/study.ts';
import { oriented } from '../stages/judge/trials.ts';
import type { Unfounded } from '../stages/repeat/take-back.ts';
import type { Trial } from '../verdicts/claims.ts';
import { estimateNoise, mean } from '../verdicts/noise.ts';
import { isJump, judgeProbe, type Probed, showsDifference } from '../verdicts/probe.ts';

/**
 * Which commits are trained with exchanged data, and what follows from it: pure, like `step`. A keep is probed before the branch
 * moves where there is a reason to, and otherwise at the end of the study, with the commits between where that fails.
 */
export type Probes = {
  /** Whether there is data to be exchanged, and a sandbox to do it in. */
  readonly isPossible: boolean;
  /** By experiment; null where the run gave no number. */
  readonly values: ReadonlyMap<number, number | null>;
};

/** What is asked of the state of the loop. */
export type Chain = {
  readonly goal: 'minimize' | 'maximize';
  readonly trials: readonly Trial[];
  readonly probes: Probes;
};

export const NO_PROBES: Probes = { isPossible: false, values: new Map() };

/** An attempt whose verdict would be a keep. */
export type Candidate = { readonly n: number; readonly value: number };

/** Whether exchanging the data says anything, as far as is known: the baseline is asked first. */
export function isProbing({ trials, probes, ...chain }: Chain): boolean {
  const [baseline] = trials;
  if (!probes.isPossible || !baseline) return false;
  const probed = probedOf({ ...chain, probes }, baseline);
  return probed === null || showsDifference(probed);
}

/** Reasons to look closer at a candidate that its number gives. */
export function findJumps(chain: Chain, { value }: Candidate, bound: number | null): readonly Hint[] {
  const isBeyond = bound !== null && isBetter(chain.goal, value, bound);
  const kept = oriented(chain.trials, chain.goal).filter(({ isKept }) => isKept);
  const [baseline, incumbent] = [kept[0], kept.at(-1)];
  if (!baseline || !incumbent) return [];
  const sign = chain.goal === 'minimize' ? 1 : -1;
  const gain = mean(incumbent.values) - sign * value;
  const audited = Math.max(0, ...kept.flatMap(trial => auditedGain(chain, trial)));
  const isLarge = isJump(gain, baseline.values, varianceOf(chain), audited);
  return [...(isLarge ? (['jump'] as const) : []), ...(isBeyond ? (['bound'] as const) : [])];
}

/** Which experiment is probed next so that a candidate can be judged; null where all is known, or nothing can be. */
export function findCandidateProbe(chain: Chain, { n }: Candidate): number | null {
  if (!isProbing(chain)) return null;
  const kept = chain.trials.filter(({ isKept }) => isKept);
  const needed = [kept[0]?.n, kept.at(-1)?.n, n];
  return needed.find(other => other !== undefined && !chain.probes.values.has(other)) ?? null;
}

/** What probing showed against a candidate; null for nothing. */
export function judgeCandidate(
  chain: Chain,
  { n, value }: Candidate,
): { readonly reason: ProbeReason; readonly evidence: ProbeEvidence } | null {
  const incumbent = chain.trials.findLast(({ isKept }) => isKept);
  if (!incumbent) return null;
  const trial: Trial = { n, values: [value], parent: incumbent.n, isKept: false };
  return judge({ ...chain, trials: [...chain.trials, trial] }, trial, incumbent);
}

/** Which kept commit is probed between two experiments: where one fails, those between it and one that passes. */
export function findChainProbe(chain: Chain, isEnd: boolean): number | null {
  if (!isProbing(chain)) return null;
  const kept = chain.trials.filter(({ isKept }) => isKept);
  const [baseline, tip] = [kept[0], kept.at(-1)];
  if (!baseline || !tip || baseline === tip) return null;
  const { values } = chain.probes;
  const split = bisect(chain, kept);
  if (split !== null) return split.at - split.passing > 1 ? middle(kept, split) : null;
  // Stopped before it could be probed, or at the end whatever it is.
  if (!isEnd && !wasJump(chain, tip)) return null;
  return [baseline, tip].find(({ n }) => !values.has(n))?.n ?? null;
}

/** The keep that has to go, once it is known which one; null where there is none. */
export function findTakeBack(chain: Chain): Unfounded | null {
  if (!isProbing(chain)) return null;
  const kept = chain.trials.filter(({ isKept }) => isKept);
  const split = bisect(chain, kept);
  if (split === null || split.at - split.passing > 1) return null;
  const [own, parent] = [kept[split.at], kept[split.passing]];
  const found = own && parent && (judge(chain, own, parent) ?? split.failure);
  if (!found) return null;
  return { ...found, n: own.n, parent: parent.n, chain: kept.slice(split.at).map(({ n }) => n) };
}

/** Places in the chain of keeps: the first that is known to fail, and the newest before it that passes. */
function bisect(chain: Chain, kept: readonly Trial[]) {
  const [baseline] = kept;
  if (!baseline) return null;
  let passing = 0;
  for (const [at, trial] of kept.entries()) {
    if (at === 0 || !chain.probes.values.has(trial.n)) continue;
    const failure = judge(chain, trial, baseline);
    if (failure) return { at, passing, failure };
    passing = at;
  }
  return null;
}

function middle(kept: readonly Trial[], { at, passing }: { at: number; passing: number }): number | null {
  return kept[Math.floor((at + passing) / 2)]?.n ?? null;
}

function judge(chain: Chain, own: Trial, from: Trial) {
  const [probed, before] = [probedOf(chain, own), probedOf(chain, from)];
  if (!probed || !before) return null;
  const failure = judgeProbe(probed, before, varianceOf(chain));
  if (!failure) return null;
  const { reason, value, gain, gainThere } = failure;
  const sign = chain.goal === 'minimize' || value === null ? 1 : -1;
  return {
    reason,
    evidence: { value: value === null ? null : sign * value, gain, gainThere, against: from.n },
  };
}

/** Oriented so that lower is better; null where it was not probed. */
function probedOf({ goal, probes }: Pick<Chain, 'goal' | 'probes'>, trial: Trial): Probed | null {
  const probe = probes.values.get(trial.n);
  if (probe === undefined) return null;
  const sign = goal === 'minimize' ? 1 : -1;
  return { values: trial.values.map(value => sign * value), probe: probe === null ? null : sign * probe };
}

/** What a keep gained that a probe has let pass; empty where none has. */
function auditedGain(chain: Chain, trial: Trial): readonly number[] {
  const parent = oriented(chain.trials, chain.goal).find(({ n }) => n === trial.parent);
  return parent && (chain.probes.values.get(trial.n) ?? null) !== null
    ? [mean(parent.values) - mean(trial.values)]
    : [];
}

function wasJump(chain: Chain, { n, values }: Trial): boolean {
  const trials = chain.trials.filter(trial => trial.n !== n);
  return findJumps({ ...chain, trials }, { n, value: mean(values) }, null).length > 0;
}

function varianceOf({ trials }: Chain): number {
  const baseline = trials[0] ? mean(trials[0].values) : 0;
  const noise = estimateNoise(
    trials.map(({ values }) => values),
    baseline,
  );
  return noise.isRepeatable ? 0 : noise.variance;
}
