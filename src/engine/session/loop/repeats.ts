import { type Goal, signOf, type VerdictRule } from '../../../shared/contract/contract.ts';
import {
  type Evidence,
  isBetter,
  type RepeatPurpose,
  type RolledBack,
  type Verdict,
} from '../../../shared/study.ts';
import { isProbeReason } from '../../../shared/verdicts/probes.ts';
import { keptOf, noiseOf, oriented, standing } from '../../stages/judge/trials.ts';
import type { Unfounded } from '../../stages/repeat/take-back.ts';
import { auditAllowance, findAudit, HEADLINE_RUNS } from '../../statistics/audit.ts';
import { assess, onBranch, type Trial } from '../../statistics/claims.ts';
import { mean } from '../../statistics/noise.ts';
import { afterProbe, findChainProbe, findPass, type ProbeRun, type Probes } from './probes.ts';

/**
 * Which commit is trained again, and what follows from it: pure, like `step`, whose state contains this. Under the
 * rule `greedy` nothing is ever trained again.
 */
export type Repeats = {
  readonly rule: VerdictRule;
  readonly goal: Goal;
  /** How often the baseline is trained before the first experiment. */
  readonly baselineRuns: number;
  /** Every experiment with a number, oldest first. */
  readonly trials: readonly Trial[];
  /** Repeats that were tried and are not tried again. */
  readonly tried: readonly (Due & { readonly hasValue: boolean })[];
  /** Discards in a row on the incumbent; a roll-back resets the count. */
  readonly discards: number;
  /** Trainings so far, of every kind. */
  readonly runs: number;
  /** The value of {@link Repeats.runs} when an audit was last considered. */
  readonly auditedAt: number;
  /** Runs used by audit and headline. */
  readonly spent: number;
  /** Runs that an audit may use, as the user requested; null if the study closes by itself. */
  readonly granted: number | null;
  /** Experiments of the headline runs since the last run of another kind. */
  readonly fresh: readonly number[];
  readonly probes: Probes;
  readonly seeds: Seeds;
};

/** Runs with other seeds, for a training that is deterministic. */
export type Seeds = {
  /** Whether there is a seed, as far as known. */
  readonly isFound: boolean;
  /** How many runs have a number, by experiment. */
  readonly runs: ReadonlyMap<number, number>;
};

export const NO_SEEDS: Seeds = { isFound: false, runs: new Map() };
const SEEDS_EACH = 2;

/** After this many discards in a row a keep is suspect: a lucky number is hard to beat. */
const SUSPECT_DISCARDS = 12;
/** Trainings between two audits. */
export const AUDIT_EVERY = 10;
const FRESH_EACH = HEADLINE_RUNS / 2;
/** Twice, to estimate the noise. */
export const BASELINE_RUNS = 2;

export type Due = { readonly n: number; readonly purpose: RepeatPurpose };

/** The incumbent with the mean of its runs; null before the baseline. */
export function incumbentOf(
  repeats: Repeats,
): { readonly experiment: number; readonly value: number; readonly runs: number } | null {
  const last = keptOf(repeats.trials).at(-1);
  return last ? { experiment: last.n, value: mean(last.values), runs: last.values.length } : null;
}

/**
 * The worst number with which an attempt of fewer lines is kept: half the noise worse than the best record of the
 * study, not than the incumbent's, so that it cannot slide. Under `greedy` it is the incumbent's. Null before the
 * baseline.
 */
export function simplifiedBound(repeats: Repeats): number | null {
  const kept = keptOf(repeats.trials).map(({ values }) => mean(values));
  const last = kept.at(-1);
  if (repeats.rule === 'greedy' || last === undefined) return last ?? null;
  const best = kept.reduce((one, other) => (isBetter(repeats.goal, other, one) ? other : one));
  const slack = 0.5 * spreadOf(repeats);
  return best + signOf(repeats.goal) * slack;
}

/** The standard deviation of a run, in the metric's unit; 0 if the training is deterministic to the last digit. */
function spreadOf({ trials }: Repeats): number {
  const { isRepeatable, variance } = noiseOf(trials);
  return isRepeatable ? 0 : Math.sqrt(variance);
}

/** What to train again before the next experiment; null for nothing. */
export function findDue(repeats: Repeats): Due | null {
  if (repeats.rule === 'greedy') return null;
  const kept = keptOf(repeats.trials);
  const [baseline, incumbent] = [kept[0], kept.at(-1)];
  if (!baseline || !incumbent) return null;
  const probe = findChainProbe(repeats, false);
  if (probe !== null) return { n: probe, purpose: 'probe' };
  const wasTried = (n: number, purpose: RepeatPurpose) =>
    repeats.tried.some(tried => tried.n === n && tried.purpose === purpose);
  const baselineTries = repeats.tried.filter(({ purpose }) => purpose === 'baseline').length;
  if (baseline.values.length < repeats.baselineRuns && baselineTries < repeats.baselineRuns - 1)
    return { n: baseline.n, purpose: 'baseline' };
  const isSuspect = incumbent !== baseline && repeats.discards >= SUSPECT_DISCARDS;
  // A number without randomness cannot be luck.
  if (isSuspect && spreadOf(repeats) > 0 && !wasTried(incumbent.n, 'remeasure'))
    return { n: incumbent.n, purpose: 'remeasure' };
  return isAuditDue(repeats) ? findUnproven(repeats) : null;
}

function isAuditDue({ runs, auditedAt, spent }: Repeats): boolean {
  return runs - auditedAt >= AUDIT_EVERY && spent < auditAllowance(runs) - HEADLINE_RUNS;
}

function findUnproven(repeats: Repeats): Due | null {
  const trials = onBranch(oriented(repeats.trials, repeats.goal));
  const gaveNone = (n: number) =>
    repeats.tried.some(tried => tried.n === n && tried.purpose === 'audit' && !tried.hasValue);
  const n = findAudit(trials, assess(trials)?.claims ?? [], gaveNone);
  return n === null ? null : { n, purpose: 'audit' };
}

/** What to train again before a study ends: what audits have left, the headline's runs, in turn, and probes. */
export function findClosing(repeats: Repeats): Due | null {
  const kept = keptOf(repeats.trials);
  const [baseline, incumbent] = [kept[0], kept.at(-1)];
  if (repeats.rule === 'greedy' || !baseline || !incumbent || baseline === incumbent) return null;
  const fresh = (n: number) => repeats.fresh.filter(other => other === n).length;
  const { granted } = repeats;
  if (granted !== null && repeats.spent >= granted) return null;
  // The fresh runs come first: the number that made it the best was selected for being good.
  const probe = findChainProbe(repeats, true);
  const last: Due | null = probe === null ? null : { n: probe, purpose: 'probe' };
  // With this seed, commits that differ only by the edit differ because of it, with certainty.
  if (spreadOf(repeats) === 0) return findSeedRun(repeats, baseline, incumbent) ?? last;
  const allowance = granted ?? auditAllowance(repeats.runs);
  const isUnspent = repeats.fresh.length === 0 && repeats.spent < allowance - HEADLINE_RUNS;
  const audit = isUnspent ? findUnproven(repeats) : null;
  if (audit) return audit;
  const next = fresh(incumbent.n) <= fresh(baseline.n) ? incumbent : baseline;
  return fresh(next.n) < FRESH_EACH ? { n: next.n, purpose: 'headline' } : last;
}

function findSeedRun({ seeds }: Repeats, baseline: Trial, incumbent: Trial): Due | null {
  const done = (n: number) => seeds.runs.get(n) ?? 0;
  const next = done(incumbent.n) <= done(baseline.n) ? incumbent : baseline;
  return seeds.isFound && done(next.n) < SEEDS_EACH ? { n: next.n, purpose: 'seed' } : null;
}

/** Whether there is a gain, so that time must be left to measure its headline. */
export function hasHeadline(repeats: Repeats): boolean {
  return findClosing({ ...repeats, granted: null, spent: Number.POSITIVE_INFINITY }) !== null;
}

/** After an experiment has its verdict. */
export function afterVerdict(repeats: Repeats, n: number, { word, reason, evidence }: Verdict): Repeats {
  const { metric, incumbentExperiment: incumbent = null, lateParent, supersedes, guard } = evidence;
  const isKept = word === 'keep';
  // One that replaced the incumbent is a gain over it.
  const parent = isKept ? incumbent : (lateParent?.experiment ?? incumbent);
  const known = repeats.trials.filter(trial => trial.n !== n);
  return {
    ...repeats,
    trials:
      metric === undefined || guard || isProbeReason(reason)
        ? known
        : [
            ...known,
            { n, values: [metric], parent, isKept, ...standing(reason), ...(supersedes && { supersedes }) },
          ],
    discards: isKept ? 0 : repeats.discards + (word === 'discard' && !lateParent ? 1 : 0),
    runs: repeats.runs + 1,
    fresh: [],
    probes: isKept ? probesAfterKeep(repeats.probes, n, evidence) : repeats.probes,
  };
}

/** Once probed it is no longer suspect. */
export function probesAfterKeep(
  { hinted, passed, ...probes }: Probes,
  n: number,
  { probe, hints = [] }: Pick<Evidence, 'probe' | 'hints'>,
): Probes {
  return {
    ...probes,
    hinted: hints.length > 0 && !probe ? new Set([...hinted, n]) : hinted,
    passed: probe ? new Set([...passed, n]) : passed,
  };
}

/**
 * After a commit was trained again.
 * @param value null if the number does not count
 * @param isTried false if it will be tried once more
 */
export function afterRepeat(
  repeats: Repeats,
  { n, purpose }: Due,
  value: number | null,
  isTried: boolean,
): Repeats {
  const { trials, tried, runs, auditedAt, spent, fresh } = repeats;
  if (purpose === 'reference') return { ...repeats, runs: runs + 1 };
  if (purpose === 'seed') {
    const { seeds } = repeats;
    const done = new Map([...seeds.runs, [n, (seeds.runs.get(n) ?? 0) + 1]]);
    const after = { ...repeats, runs: runs + 1, spent: spent + 1 };
    if (value !== null) return { ...after, seeds: { ...seeds, runs: done } };
    // A run that gives no number would give none again.
    return isTried ? without(after, 'seed') : after;
  }
  return {
    ...repeats,
    trials: trials.map(trial =>
      trial.n === n && value !== null ? { ...trial, values: [...trial.values, value] } : trial,
    ),
    tried: isTried ? [...tried, { n, purpose, hasValue: value !== null }] : tried,
    runs: runs + 1,
    auditedAt: purpose === 'audit' ? runs + 1 : auditedAt,
    spent: spent + (purpose === 'audit' || purpose === 'headline' ? 1 : 0),
    fresh: purpose !== 'headline' ? [] : isTried ? [...fresh, n] : fresh,
  };
}

/**
 * The state as if runs under way had given the record again, so that another lane does something else. Probes are not
 * assumed to pass.
 */
export function believeDone(repeats: Repeats, underWay: readonly Due[]): Repeats {
  return underWay.reduce((believed, due) => {
    const own = repeats.trials.find(({ n }) => n === due.n);
    const isApart = due.purpose === 'probe' || due.purpose === 'reference';
    return own && !isApart ? afterRepeat(believed, due, mean(own.values), true) : believed;
  }, repeats);
}

/** Why the incumbent is taken back after it was measured again; null if it stays. */
export function judgeAgain(repeats: Repeats, { n, purpose }: Due): RolledBack | null {
  const own = repeats.trials.find(trial => trial.n === n);
  const parent = repeats.trials.find(trial => trial.n === own?.parent);
  if (purpose !== 'remeasure' || !own || !parent) return null;
  const [record, parentRecord] = [mean(own.values), mean(parent.values)];
  if (!isBetter(repeats.goal, parentRecord, record)) return null;
  return { record, runs: own.values.length, parentExperiment: parent.n, parentRecord };
}

/** Nothing of the kind can be trained here. */
export function without(repeats: Repeats, purpose: 'probe' | 'seed'): Repeats {
  return purpose === 'probe'
    ? { ...repeats, probes: { ...repeats.probes, isPossible: false } }
    : { ...repeats, seeds: { ...repeats.seeds, isFound: false } };
}

/**
 * After a commit was trained with exchanged data.
 * @param run null if that will be repeated because of the machine
 */
export function afterProbeRun(repeats: Repeats, n: number, run: ProbeRun | null): Repeats {
  const after: Repeats = {
    ...repeats,
    runs: repeats.runs + 1,
    // It counts towards an audit that the user requested.
    spent: repeats.spent + (repeats.granted === null ? 0 : 1),
    probes: run === null ? repeats.probes : afterProbe(repeats.probes, n, run),
  };
  return findPass(after, n) === null ? after : pass(after, n);
}

function pass(repeats: Repeats, n: number): Repeats {
  const { probes } = repeats;
  return { ...repeats, probes: { ...probes, passed: new Set([...probes.passed, n]) } };
}

/** A number that is not real is forgotten; experiments built on it were measured, but are no longer keeps. */
export function takeBackFrom(repeats: Repeats, { n, chain }: Unfounded): Repeats {
  const trials = repeats.trials
    .filter(trial => trial.n !== n)
    .map(trial => (chain.includes(trial.n) ? { ...trial, isKept: false, isTakenBack: true } : trial));
  return { ...repeats, trials, discards: 0 };
}

/** The incumbent is no longer a keep. */
export function takeBack(repeats: Repeats, n: number): Repeats {
  const trials = repeats.trials.map(trial =>
    trial.n === n ? { ...trial, isKept: false, isTakenBack: true } : trial,
  );
  return { ...repeats, trials, discards: 0 };
}
