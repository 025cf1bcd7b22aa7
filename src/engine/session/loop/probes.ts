import { type Goal, signOf } from '../../../shared/contract/contract.ts';
import { isBetter } from '../../../shared/study.ts';
import type { Hint, ProbeEvidence, ProbeReason, SwapFault } from '../../../shared/verdicts/probes.ts';
import { keptOf, noiseOf, oriented } from '../../stages/judge/trials.ts';
import type { Unfounded } from '../../stages/repeat/take-back.ts';
import type { Trial } from '../../statistics/claims.ts';
import { mean } from '../../statistics/noise.ts';
import {
  confirmsGain,
  findSwapFault,
  isJump,
  judgeProbe,
  type Probed,
  type ProbeResult,
} from '../../statistics/probe.ts';

/**
 * Which commits are trained with exchanged data, and what follows from it: pure, like `step`. A keep is probed before
 * the branch moves if there is a reason to, otherwise at the end of the study, and if it fails, so are the commits in
 * between.
 */
export type Probes = {
  /** Whether there is data to exchange, and a sandbox in which to do it. */
  readonly isPossible: boolean;
  readonly bound: number | null;
  /** By experiment. */
  readonly results: ReadonlyMap<number, ProbeResult>;
  /** Experiments whose own code once gave no number; they get another try. */
  readonly failedOnce: ReadonlySet<number>;
  /** Keeps that have passed a probe for good: later numbers say more about the noise than about them. */
  readonly passed: ReadonlySet<number>;
  /** Keeps with a reason to look more closely. */
  readonly hinted: ReadonlySet<number>;
};

/** The part of the loop's state that probing needs. */
export type Chain = {
  readonly goal: Goal;
  readonly trials: readonly Trial[];
  readonly probes: Probes;
};

export const NO_PROBES: Probes = {
  ...{ isPossible: false, bound: null, results: new Map(), failedOnce: new Set() },
  ...{ passed: new Set(), hinted: new Set() },
};

/** An attempt whose verdict would be a keep. */
export type Candidate = { readonly n: number; readonly value: number };

/** The result of a run with swapped data: its number, or why there is none. */
export type ProbeRun = { readonly value: number | null; readonly isOwnFailure: boolean };

/** After a probe of experiment `n` that will not be repeated because of the machine. */
export function afterProbe(probes: Probes, n: number, { value, isOwnFailure }: ProbeRun): Probes {
  if (value === null && isOwnFailure && !probes.failedOnce.has(n))
    return { ...probes, failedOnce: new Set([...probes.failedOnce, n]) };
  const result = value ?? (isOwnFailure ? 'failed' : 'unknown');
  return { ...probes, results: new Map([...probes.results, [n, result]]) };
}

/** Why swapping the data shows nothing for this study; null if it does, or it is not known yet. */
export function faultOfSwap(chain: Chain): SwapFault | null {
  const [baseline] = chain.trials;
  const probed = baseline && probedOf(chain, baseline);
  return probed ? findSwapFault(probed) : null;
}

/** Whether anything can be probed, as far as known: the baseline is probed first. */
export function isProbing(chain: Chain): boolean {
  return chain.probes.isPossible && chain.trials.length > 0 && faultOfSwap(chain) === null;
}

/** Reasons in a candidate's number to look more closely. */
export function findNumberHints(chain: Chain, candidate: Candidate): readonly Hint[] {
  if (!chain.trials.some(({ isKept }) => isKept)) return [];
  const { bound } = chain.probes;
  const isBeyond = bound !== null && isBetter(chain.goal, candidate.value, bound);
  const isLarge = isJumpOf(chain, candidate);
  return [...(isLarge ? (['jump'] as const) : []), ...(isBeyond ? (['bound'] as const) : [])];
}

function isJumpOf(chain: Chain, { value }: Candidate): boolean {
  const kept = oriented(keptOf(chain.trials), chain.goal);
  const [baseline, incumbent] = [kept[0], kept.at(-1)];
  if (!baseline || !incumbent) return false;
  const gain = mean(incumbent.values) - signOf(chain.goal) * value;
  const believed = Math.max(0, ...kept.flatMap(trial => believedGain(chain, trial)));
  return isJump(gain, baseline.values, noiseOf(chain.trials), believed);
}

/** Which experiment to probe next so that a candidate can be judged; null if all is known, or nothing can be. */
export function findCandidateProbe(chain: Chain, { n }: Candidate): number | null {
  if (!isProbing(chain)) return null;
  const kept = keptOf(chain.trials);
  const needed = [kept[0]?.n, kept.at(-1)?.n, n];
  return needed.find(other => other !== undefined && !chain.probes.results.has(other)) ?? null;
}

/** The result of probing a candidate: the evidence, with a reason if it speaks against it; null if it was not probed. */
export function judgeCandidate(
  chain: Chain,
  { n, value }: Candidate,
): { readonly reason: ProbeReason | null; readonly evidence: ProbeEvidence } | null {
  const incumbent = keptOf(chain.trials).at(-1);
  if (!incumbent) return null;
  const trial: Trial = { n, values: [value], parent: incumbent.n, isKept: false };
  const all = { ...chain, trials: [...chain.trials, trial] };
  return judge(all, trial, incumbent) ?? passing(all, trial, incumbent);
}

/** Why a kept commit passes its finished probe; null if it fails, or the probe is inconclusive. */
export function findPass(chain: Chain, n: number): ProbeEvidence | null {
  const [baseline, ...kept] = keptOf(chain.trials);
  const own = kept.find(trial => trial.n === n);
  if (!baseline || !own || judge(chain, own, baseline)) return null;
  return passing(chain, own, baseline)?.evidence ?? null;
}

/** Which kept commit to probe between two experiments: if one fails, those between it and one that passes. */
export function findChainProbe(chain: Chain, isEnd: boolean): number | null {
  if (!isProbing(chain)) return null;
  const kept = keptOf(chain.trials);
  const [baseline, tip] = [kept[0], kept.at(-1)];
  if (!baseline || !tip || baseline === tip) return null;
  const failing = bisect(chain, kept);
  if (failing) return middle(chain, kept, failing);
  // The study stopped before it could be probed, or this is the end, where the tip is always probed.
  if (!isEnd && !chain.probes.hinted.has(tip.n) && !wasJump(chain, tip)) return null;
  return [baseline, tip].find(({ n }) => !chain.probes.results.has(n))?.n ?? null;
}

/** The keep to take back, once it is known which; null if there is none. */
export function findTakeBack(chain: Chain): Unfounded | null {
  if (!isProbing(chain)) return null;
  const kept = keptOf(chain.trials);
  const failing = bisect(chain, kept);
  if (!failing || middle(chain, kept, failing) !== null) return null;
  const [own, parent] = [kept[failing.at], kept[failing.passing]];
  if (!own || !parent) return null;
  const found = judge(chain, own, parent) ?? failing.failure;
  // Those in between, whose probes are inconclusive, are taken back with it.
  const first = failing.passing + 1;
  return {
    ...{ ...found, n: own.n, parent: parent.n },
    parentRecord: mean(parent.values),
    chain: kept.slice(first).map(({ n }) => n),
  };
}

type Failing = {
  /** Places in the chain of keeps: the first that is known to fail, and the newest before it that passes. */
  readonly at: number;
  readonly passing: number;
  readonly failure: { readonly reason: ProbeReason; readonly evidence: ProbeEvidence };
};

function bisect(chain: Chain, kept: readonly Trial[]): Failing | null {
  const [baseline] = kept;
  if (!baseline) return null;
  let passing = 0;
  for (const [at, trial] of kept.entries()) {
    const result = chain.probes.results.get(trial.n);
    if (at === 0 || result === undefined || result === 'unknown') continue;
    const failure = chain.probes.passed.has(trial.n) ? null : judge(chain, trial, baseline);
    if (failure) return { at, passing, failure };
    passing = at;
  }
  return null;
}

/** The one to probe next: halfway, or the nearest to that which was not tried; null if all in between were. */
function middle(chain: Chain, kept: readonly Trial[], { at, passing }: Failing): number | null {
  const half = (at + passing) / 2;
  const between = kept
    .map(({ n }, place) => ({ n, place }))
    .slice(passing + 1, at)
    .filter(({ n }) => !chain.probes.results.has(n))
    .sort((a, b) => Math.abs(a.place - half) - Math.abs(b.place - half));
  return between[0]?.n ?? null;
}

function judge(chain: Chain, own: Trial, from: Trial) {
  const [baseline] = chain.trials;
  const [probed, before, first] = [own, from, baseline].map(trial => trial && probedOf(chain, trial));
  if (!probed || !before || !first) return null;
  const sign = signOf(chain.goal);
  const { bound } = chain.probes;
  const failure = judgeProbe(
    probed,
    before,
    first,
    noiseOf(chain.trials),
    bound === null ? null : sign * bound,
  );
  if (!failure) return null;
  const { reason, ...evidence } = failure;
  return { reason, evidence: evidenceOf(chain, evidence, from) };
}

/** A gain that exists with other data too. */
function passing(chain: Chain, own: Trial, from: Trial) {
  const [baseline] = chain.trials;
  const [probed, before, first] = [own, from, baseline].map(trial => trial && probedOf(chain, trial));
  if (!isProbing(chain) || !first || typeof probed?.probe !== 'number' || typeof before?.probe !== 'number')
    return null;
  if (!confirmsGain(probed, before, first, noiseOf(chain.trials))) return null;
  const gainThere = before.probe - probed.probe;
  const gain = mean(before.values) - mean(probed.values);
  return { reason: null, evidence: evidenceOf(chain, { value: probed.probe, gain, gainThere }, from) };
}

/** In the metric's own direction. */
function evidenceOf(chain: Chain, found: Omit<ProbeEvidence, 'against'>, from: Trial): ProbeEvidence {
  const value = found.value === null ? null : signOf(chain.goal) * found.value;
  return { ...found, value, against: from.n };
}

/** Oriented so that lower is better; null if it was not probed. */
function probedOf(chain: Chain, trial: Trial): Probed | null {
  const probe = chain.probes.results.get(trial.n);
  if (probe === undefined) return null;
  const sign = signOf(chain.goal);
  return {
    values: trial.values.map(value => sign * value),
    probe: typeof probe === 'number' ? sign * probe : probe,
  };
}

/** The gain of a keep that has passed a probe, or of any keep if nothing can be probed; empty for the others. */
function believedGain(chain: Chain, trial: Trial): readonly number[] {
  const parent = oriented(chain.trials, chain.goal).find(({ n }) => n === trial.parent);
  const isBelieved = chain.probes.passed.has(trial.n) || !isProbing(chain);
  return parent && isBelieved ? [mean(parent.values) - mean(trial.values)] : [];
}

function wasJump(chain: Chain, { n, values }: Trial): boolean {
  const trials = chain.trials.filter(trial => trial.n !== n);
  return isJumpOf({ ...chain, trials }, { n, value: mean(values) });
}
