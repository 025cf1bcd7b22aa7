import type { Contract } from '../contract/contract.ts';
import type { CrashClass, Measurement, StopReason, StudyState } from '../study.ts';
import type { Tried } from '../tried.ts';
import type { StudyClaims } from '../verdicts/claims.ts';
import type { FlagKind } from '../verdicts/fairness.ts';

/**
 * The results of a study, or of one sitting. Everything is read or computed from the ledger, and every statement
 * names its experiments, so that a reader can look them up. A gain is positive if the metric improved, in the
 * metric's unit; times are milliseconds since the epoch, durations seconds.
 */
export type Debrief = {
  readonly study: {
    readonly id: string;
    readonly tag: string;
    /** Last component of the repository's path. */
    readonly project: string;
    readonly metric: Pick<Contract['metric'], 'name' | 'goal'>;
    readonly branch: string | null;
    readonly state: StudyState;
    readonly stopReason: StopReason | null;
    readonly stopDetail: string | null;
  };
  /** All sittings, oldest first. Empty for an imported study. */
  readonly sittings: readonly DebriefSitting[];
  /** Index in `sittings` of the sitting in question; null for the whole study. */
  readonly sitting: number | null;
  readonly from: number;
  readonly until: number;
  /** The best at the start and at the end, by all runs known now; null before the baseline. */
  readonly before: DebriefRecord | null;
  readonly after: DebriefRecord | null;
  /** A model's summary, if there is one. */
  readonly summary: DebriefSummary | null;
  /** What the numbers of the whole study allow to claim; null if nothing was repeated. */
  readonly claims: StudyClaims | null;
  readonly counts: DebriefCounts;
  /** In the order they were kept, without the baseline. */
  readonly kept: readonly KeptIdea[];
  readonly takenBack: readonly TakenBackIdea[];
  /** Kinds of ideas without a keep, the most tried first. */
  readonly deadEnds: readonly DeadEnd[];
  readonly crashes: readonly CrashGroup[];
  /** Discards that may deserve a second look; the likeliest first. */
  readonly nearMisses: readonly NearMiss[];
  /** Experiments whose results were furthest from the predictions. */
  readonly surprises: readonly Surprise[];
  readonly time: DebriefTime;
  readonly resources: DebriefResources;
  /** The proposers, side by side. */
  readonly arms: readonly Arm[];
  /** Versions of the instructions under which something was tried, oldest first. */
  readonly instructions: readonly InstructionsYield[];
  readonly notes: readonly NoteYield[];
  readonly next: readonly NextStep[];
};

export type DebriefSummary = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly model: string;
  /** How many experiments of the study had a verdict at that time. */
  readonly finished: number;
  /** Each names its experiments, as `#12`. */
  readonly sentences: readonly string[];
  /** How many sentences were left out because they named no experiment, or an unknown one. */
  readonly dropped: number;
};

/** The proposers of several studies. */
export type ArmsOfStudies = {
  /** The studies' tags. */
  readonly studies: readonly string[];
  readonly arms: readonly Arm[];
};

/** The formats of a debrief. */
export const REPORT_FORMATS = ['md', 'html', 'json'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export type DebriefSitting = {
  readonly from: number;
  /** Null while it runs. */
  readonly until: number | null;
  /** How many experiments ended in it, including the baseline. */
  readonly experiments: number;
};

export type DebriefRecord = { readonly n: number; readonly record: Measurement };

type DebriefCounts = Tried & {
  /** Proposals that were rejected before they cost a run. */
  readonly refused: number;
  /** Further runs of experiments that had their verdict. */
  readonly repeats: number;
};

/** An experiment as it appears in every list of a debrief. */
export type DebriefIdea = {
  readonly n: number;
  readonly hypothesis: string;
  readonly category: string | null;
  readonly proposer: string | null;
};

export type KeptIdea = DebriefIdea & {
  /** Null if there is none, or several of the keeps have the same. */
  readonly rationale: string | null;
  readonly commit: string | null;
  /** Over the keep before it of which the branch still has the edit, by their records; null if one has no number. */
  readonly gain: number | null;
  readonly record: Measurement | null;
  /** As in {@link StudyClaims}; null if nothing is claimed. */
  readonly probability: number | null;
  readonly isProven: boolean;
  /** Whether it is shorter but not better, so that no gain is claimed for it. */
  readonly isSimplification: boolean;
  /** If its edit left the branch, the keep that took its place. */
  readonly supersededBy: number | null;
};

export type TakenBackIdea = DebriefIdea & {
  /** In words. */
  readonly why: string;
};

export type DeadEnd = {
  /** What these experiments have in common. */
  readonly kind: 'category' | 'constant' | 'file';
  readonly name: string;
  readonly tried: number;
  /** The gain of the one that came nearest to a keep; negative, or null if none had a number. */
  readonly nearest: number | null;
  /** Oldest first. */
  readonly experiments: readonly number[];
};

export type CrashGroup = {
  readonly class: CrashClass | 'imported';
  /** Newest first. */
  readonly experiments: readonly number[];
  /** The newest one's message. */
  readonly message: string;
  readonly trainedSeconds: number;
};

export type NearMiss = DebriefIdea & {
  readonly gain: number | null;
  /** In words. */
  readonly why: string;
};

export type Surprise = DebriefIdea & { readonly predicted: number; readonly actual: number };

/** How the time was spent. Overlapping work, such as proposals prepared during a run, counts in both. */
export type DebriefTime = {
  /** From the start to the end of its sittings. */
  readonly wall: number;
  /** Runs that led to a verdict. */
  readonly trained: number;
  /** Of those, runs of experiments that crashed. */
  readonly crashed: number;
  /** Runs that were repeated because they were not fair. */
  readonly unfair: number;
  /** Why most of them were not; null if there were none. */
  readonly unfairBecause: FlagKind | null;
  /** Further runs of experiments with a verdict: noise, audits, headlines, probes, seeds. */
  readonly repeats: number;
  /** Calls of proposers. */
  readonly proposing: number;
  /** Time in which the study was paused. */
  readonly paused: number;
  /** For how long it ran without the lanes of hosts that were out of reach. */
  readonly away: readonly { readonly host: string; readonly seconds: number }[];
};

type DebriefResources = {
  /** Energy of the GPUs; null if no power was measured. */
  readonly energyWh: number | null;
  /** Cost of model calls in US dollars; null if none had a price. */
  readonly costUsd: number | null;
};

/** A value and the ends of its 90 % interval. */
export type Interval = { readonly value: number; readonly low: number; readonly high: number };

/** One proposer's results. A rate is null if its denominator is unknown or 0. */
export type Arm = {
  readonly proposer: string;
  readonly experiments: number;
  readonly keep: number;
  readonly crash: number;
  /** The sum over its keeps, each compared with the keep before it. */
  readonly gain: number;
  readonly trainedSeconds: number;
  readonly proposingSeconds: number;
  readonly costUsd: number | null;
  readonly energyWh: number | null;
  readonly failures: readonly { readonly outcome: string; readonly count: number; readonly last: string }[];
  readonly keepRate: Interval | null;
  readonly gainPerExperiment: Interval | null;
  readonly gainPerHour: Interval | null;
  readonly gainPerKwh: Interval | null;
  readonly gainPerDollar: Interval | null;
};

/** What was tried while something applied. */
type Yield = {
  readonly at: number;
  readonly experiments: number;
  readonly keep: number;
  readonly gain: number;
  /** Null if nothing trained. */
  readonly gainPerHour: number | null;
  /** The most frequent first. */
  readonly categories: readonly { readonly name: string; readonly count: number }[];
  /** The first and last experiment; null if there was none. */
  readonly range: readonly [number, number] | null;
  /** How many of the last experiments in a row brought no gain. */
  readonly sinceGain: number;
};

/** After this many experiments without a gain, a version of the instructions counts as exhausted. */
export const RUN_OUT = 20;

export type InstructionsYield = Yield & { readonly version: number };

export type NoteYield = Yield & { readonly text: string };

/** Something to do now, and why. */
export type NextStep = {
  readonly title: string;
  readonly why: string;
  readonly action:
    | { readonly kind: 'queue'; readonly n: number }
    | { readonly kind: 'steer'; readonly text: string }
    | { readonly kind: 'audit'; readonly runs: number }
    | { readonly kind: 'resume' }
    | { readonly kind: 'instructions' }
    | { readonly kind: 'apply' };
};
