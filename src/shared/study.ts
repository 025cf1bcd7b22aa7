import type { OverBudget } from './contract/budget.ts';
import type { Contract, Goal } from './contract/contract.ts';
import type { StopRules } from './contract/stop-rules.ts';
import type { Phase } from './phases.ts';
import type { ProposerSettings } from './proposers/proposers.ts';
import type { Fairness, FlagKind, ScreenedOut } from './verdicts/fairness.ts';
import type { GuardFailure } from './verdicts/guard.ts';
import { type Hint, PROBE_REASONS, type ProbeEvidence } from './verdicts/probes.ts';
import type { PruneEvidence } from './verdicts/prune.ts';

/** Why a run gave no number. */
const CRASH_CLASSES = [
  'out_of_memory',
  'diverged',
  'exception',
  'timeout',
  'killed',
  'no_metric',
  'locked_file_touched',
  'sealed_path',
  'no_score',
  'spawn_failed',
  'disk_full',
] as const;
export type CrashClass = (typeof CRASH_CLASSES)[number];

/** `imported` is the reason for a verdict from another program's loop. */
const KEEP_REASONS = ['baseline', 'better', 'simplified', 'imported'] as const;
/**
 * `guard`: the metric may be better, but a condition or a check of the contract did not hold. `pruned` (Optuna's
 * word): the run could no longer reach the best and was ended. `over_budget`: it took more time than others get.
 * `other_hardware`: its number does not compare with the incumbent's. `screened`: there an ancestor's is as good.
 * `rolled_back`: a keep that was taken back. `not_from_data`, `memorised`: other data disproved it; see `judgeProbe`.
 */
const DISCARD_REASONS = [
  'worse',
  'equal',
  'memory_limit',
  'guard',
  'pruned',
  'over_budget',
  'other_hardware',
  'screened',
  'rolled_back',
  ...PROBE_REASONS,
  'imported',
] as const;
const CRASH_REASONS = [...CRASH_CLASSES, 'imported'] as const;

/** Upstream's three words and a reason code; see `decide` for the rule. */
export type Verdict =
  | { readonly word: 'keep'; readonly reason: (typeof KEEP_REASONS)[number]; readonly evidence: Evidence }
  | {
      readonly word: 'discard';
      readonly reason: (typeof DISCARD_REASONS)[number];
      readonly evidence: Evidence;
    }
  | { readonly word: 'crash'; readonly reason: (typeof CRASH_REASONS)[number]; readonly evidence: Evidence };

/**
 * A verdict as the notebook shows it. `other` is any other word from another program's loop; the word is its reason.
 * It counts neither as keep nor as discard, and no study of Pawl's own has one.
 */
export type ShownVerdict =
  | Verdict
  | { readonly word: 'other'; readonly reason: string; readonly evidence: Evidence };
export type VerdictWord = ShownVerdict['word'];

/** The numbers that led to a verdict. A number that was not measured is absent. */
export type Evidence = {
  /** The run (its `k`) that gave the metric. */
  readonly run: number;
  readonly metric?: number;
  readonly memory?: number;
  readonly incumbentExperiment?: number;
  readonly incumbentMetric?: number;
  /** Non-blank lines of the editable files, attempt minus incumbent. */
  readonly sourceLinesDelta?: number;
  /** Why the number was not measured fairly; it decided because another run had not helped. */
  readonly unfair?: readonly FlagKind[];
  /** For `screened`. */
  readonly screenedOut?: ScreenedOut;
  /** Why its run was ended early. */
  readonly pruned?: PruneEvidence;
  readonly overBudget?: OverBudget;
  /** The condition or check that failed. */
  readonly guard?: GuardFailure;
  /** The source of the number, if no program of the run printed it. */
  readonly source?: string;
  /** How many runs `incumbentMetric` is the mean of, if several. */
  readonly incumbentRuns?: number;
  /** Why a keep was taken back. */
  readonly rolledBack?: RolledBack;
  /** For an attempt made on a commit that was no longer the incumbent when it was measured. */
  readonly lateParent?: { readonly experiment: number; readonly record: number };
  /** Kept experiments that are missing from its tree, because it was made before them: it replaced them. */
  readonly supersedes?: readonly number[];
  /** The experiment whose number had to be taken back, and this one with it. */
  readonly takenBackWith?: number;
  /** For one that was taken back after its probe: whether it was the best for a while. */
  readonly wasKept?: boolean;
  /** What a run with swapped data showed: against the commit if that is the verdict's reason, otherwise for it. */
  readonly probe?: ProbeEvidence;
  /** Reasons for a closer look, not for a verdict. */
  readonly hints?: readonly Hint[];
};

/** Means of all runs so far, of the keep that is taken back and of its parent. */
export type RolledBack = {
  readonly record: number;
  readonly runs: number;
  readonly parentExperiment: number;
  readonly parentRecord: number;
};

const APART_PURPOSES = ['probe', 'seed', 'reference'] as const;
/**
 * Why a commit that has its verdict is trained again. `baseline`: to learn how much its number varies. `remeasure`:
 * nothing has beaten it for long, so it may have been luck. `audit`: to be surer of a gain. `headline`: for the gain
 * reported at the end. Apart from the record count `probe`: with swapped data, possibly before the verdict; `seed`: with
 * another one; `reference`: on other hardware, for what is screened there.
 */
export const REPEAT_PURPOSES = ['baseline', 'remeasure', 'audit', 'headline', ...APART_PURPOSES] as const;
export type RepeatPurpose = (typeof REPEAT_PURPOSES)[number];

/** Whether a further run used the same code, data and hardware, so that its number counts for the record. */
export function isOfRecord(purpose: RepeatPurpose): boolean {
  return !APART_PURPOSES.some(apart => apart === purpose);
}

export type Crash = {
  readonly class: CrashClass;
  /** What happened, in one line. */
  readonly message: string;
  /** The last frames of the traceback, or the last lines of output, without control sequences. */
  readonly tail: readonly string[];
};

/** One scalar the training printed, in the order of appearance. Values may be NaN or infinite. */
export type Summary = Readonly<Record<string, number>>;

export const STOP_REASONS = [
  'experiments',
  'deadline',
  'target',
  'patience',
  'crashes',
  'user',
  'exhausted',
  'spend',
  'proposer',
  'baseline_failed',
  'audited',
  'error',
] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** Each reason as a sentence for the user. */
export const STOP_WORDS: Readonly<Record<StopReason, string>> = {
  experiments: 'All experiments are done.',
  deadline: 'Its deadline has come.',
  target: 'The target is reached.',
  patience: 'No gain within its patience.',
  crashes: 'Too many crashes in a row.',
  user: 'Stopped by you.',
  exhausted: 'The proposer has nothing left to propose.',
  spend: 'The spend cap is reached.',
  proposer: 'The proposer failed repeatedly.',
  baseline_failed: 'The baseline gave no valid number.',
  audited: 'Its gains were measured again.',
  error: 'Something went wrong.',
};

/**
 * Whether proposals start from experiments that are not on the branch: never, after some time without a gain, or
 * always.
 */
export const OTHER_LINES = ['off', 'plateau', 'always'] as const;
export type OtherLines = (typeof OTHER_LINES)[number];

export type StudyState = 'ready' | 'running' | 'paused' | 'stopped' | 'imported';

export type Study = {
  readonly id: string;
  readonly tag: string;
  readonly repositoryPath: string;
  /** Absolute path of the repository's common git directory. */
  readonly gitDir: string;
  readonly contract: Contract;
  readonly baseCommit: string;
  readonly proposer: ProposerSettings;
  readonly stop: StopRules;
  readonly state: StudyState;
  readonly stopReason: StopReason | null;
  /** More about the stop for the user; null if the reason says it all. */
  readonly stopDetail: string | null;
  /** Milliseconds since the epoch, as everywhere in the ledger. */
  readonly createdAt: number;
  /** Untracked paths that the set-up command made; they are kept when the worktree is cleaned between experiments. */
  readonly preserved: readonly string[];
  /** Tracked files that the baseline's run changed: the training's outputs, restored between runs. */
  readonly outputs: readonly string[];
  /** Tracked folders in which the baseline's runs created, renamed or deleted something; null until that was observed. */
  readonly writtenFolders: readonly string[] | null;
  /** Name of the worktree's folder under `worktrees/` and of git's own record of it. */
  readonly worktreeName: string;
  /** Where its runs are trained, see `shared/machines/lanes.ts`; empty for one at a time. */
  readonly lanes: readonly string[];
  /** When proposals start from another line than the branch. */
  readonly otherLines: OtherLines;
  /** Name of the file that an imported study was read from; null for Pawl's own studies. */
  readonly importedFrom: string | null;
  /** Headings of the imported table in order; null for Pawl's own studies. */
  readonly importColumns: readonly string[] | null;
  /** Approve mode: each proposal waits for the user before it runs. */
  readonly asksApproval: boolean;
  /**
   * UUID or number of the GPU that the user chose for it, or the UUID of a MIG instance; null leaves the choice to
   * the machine.
   */
  readonly gpu: string | null;
  /** What it may spend on models in US dollars, including its trainings' questions; null if the user set no limit. */
  readonly capUsd: number | null;
  /** The user's title, shown instead of the tag. */
  readonly title: string | null;
  /** Since when it is archived, so that lists leave it out; null if it is not. */
  readonly archivedAt: number | null;
};

export type Proposal = {
  readonly hypothesis: string;
  readonly rationale: string | null;
  /** Predicted change of the metric: negative is a lower value. */
  readonly predictedEffect: number | null;
  readonly category: string | null;
  /** What the proposer needs to find in the history later, e.g. which constant it moved. JSON. */
  readonly memo: unknown;
};

export type ResourceUse = {
  /** Largest resident set of the whole process tree seen in a sample. */
  readonly peakRssBytes: number | null;
  /** User and system time of the process tree, as last seen in a sample. */
  readonly cpuSeconds: number | null;
};

/** How the training process ended. `exit` carries the code; nothing else is a success. */
export type RunOutcome =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' }
  /** It printed more than allowed and was ended. */
  | { readonly kind: 'flooded' }
  /** It used more of the machine than allowed and was ended. */
  | {
      readonly kind: 'limited';
      readonly limit: 'memory' | 'processes' | 'disk';
      readonly message: string;
    }
  /** It could no longer reach the incumbent, or took too long, and was ended. */
  | { readonly kind: 'pruned' | 'over_budget' }
  | { readonly kind: 'spawn_failed'; readonly message: string }
  | { readonly kind: 'interrupted' };

/** `untold` means that an import does not say how the run ended. */
export type ShownOutcome = RunOutcome | { readonly kind: 'untold' };

export type Run = {
  readonly n: number;
  /** 0 is the first run of the experiment. */
  readonly k: number;
  readonly commit: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly outcome: ShownOutcome | null;
  readonly summary: Summary | null;
  readonly crash: Crash | null;
  readonly resources: ResourceUse | null;
  readonly outputBytes: number | null;
  /** Units after the progress values, by series. */
  readonly units: Readonly<Record<string, string>>;
  /** Whether it was contained; null if not recorded. */
  readonly isContained: boolean | null;
  /** The lane that trained it, if the study has several; else null. */
  readonly lane: string | null;
  /** Whether the run was fair; null if not checked. */
  readonly fairness: Fairness | null;
  /** Energy of its GPUs in Wh; null if no power was measured. */
  readonly gpuEnergyWh: number | null;
  /** Why the commit was trained again; null for a run that led to the verdict. */
  readonly purpose: RepeatPurpose | null;
  /**
   * The number of a further run, which counts in the experiment's record if {@link isOfRecord} says so; null if there
   * is none.
   */
  readonly value: number | null;
};

/** An experiment's newest run that led, or will lead, to its verdict; runs after the verdict do not count. */
export function lastTrial<R extends Pick<Run, 'purpose'>>(runs: readonly R[]): R | undefined {
  return runs.findLast(({ purpose }) => purpose === null);
}

/** A mean of one or more runs of the same code. */
export type Measurement = { readonly mean: number; readonly runs: number };

export type Experiment = {
  readonly n: number;
  readonly phase: Phase;
  /** Why it waits if it was interrupted or put off; otherwise null. */
  readonly whyWaiting: string | null;
  readonly proposal: Proposal | null;
  /** The incumbent when the experiment began, for the baseline the base commit; null for imported rows. */
  readonly parentCommit: string | null;
  /** The experiment on another line from which it started; null if it started from the incumbent. */
  readonly otherLine: number | null;
  readonly attemptCommit: string | null;
  /** The position of its verdict among the study's; null if it has none. */
  readonly verdictOrder: number | null;
  /** The commit to which a keep moves the branch: the attempt, or its tree on a later incumbent. */
  readonly branchCommit: string | null;
  readonly verdict: ShownVerdict | null;
  readonly metric: number | null;
  /** The mean of all its runs that count; null if it has no number. */
  readonly record: Measurement | null;
  readonly memory: number | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Total wall time of its runs; null if none has both a start and an end. */
  readonly trainedSeconds: number | null;
  /** The original fields of the row in an imported file; null for Pawl's own experiments. */
  readonly imported: readonly string[] | null;
};

/** What the ledger holds; `countTried` leaves out the baseline. */
export type Tally = {
  /** Experiments with a verdict, including the baseline and `other` words of an imported table. */
  readonly finished: number;
  readonly keep: number;
  readonly discard: number;
  readonly crash: number;
  /** Null as long as it has none, and for an imported table, which has no baseline of Pawl's. */
  readonly baselineVerdict: VerdictWord | null;
  /** See `keepRate`. */
  readonly keepRate: number | null;
  readonly baseline: number | null;
  readonly best: number | null;
  readonly bestExperiment: number | null;
};

/** Whether `a` is the better value. NaN is never better. */
export function isBetter(goal: Goal, a: number, b: number): boolean {
  return goal === 'minimize' ? a < b : a > b;
}

/**
 * The best of the keeps, given in the order they were kept; null if none has a number. Of equal ones it is the last,
 * which was kept because it is simpler, and where the branch points.
 */
export function findBest<K extends { readonly metric: number | null }>(
  keeps: readonly K[],
  goal: Goal,
): K | null {
  let best: K | null = null;
  for (const kept of keeps) {
    if (kept.metric === null || Number.isNaN(kept.metric)) continue;
    if (best === null || best.metric === null || !isBetter(goal, best.metric, kept.metric)) best = kept;
  }
  return best;
}

/**
 * The best kept value up to and including each row, in the given order: the step line of upstream's chart. Null
 * before the first keep.
 */
export function runningBest(
  rows: readonly { readonly word: VerdictWord | null; readonly metric: number | null }[],
  goal: Goal,
): readonly (number | null)[] {
  let best: number | null = null;
  return rows.map(({ word, metric }) => {
    if (word === 'keep' && metric !== null && (best === null || isBetter(goal, metric, best))) best = metric;
    return best;
  });
}
