import type { StudyClaims } from './claims.ts';
import type { Contract } from './contract.ts';
import type { CrashClass, Measurement, StopReason, StudyState } from './study.ts';

/**
 * What a study, or one sitting of it, was worth. Everything is read or computed from the ledger, and whatever is said of an
 * experiment names it, so that a reader can look it up. A gain is positive where the metric became better, in the metric's unit;
 * times are milliseconds since the epoch, durations seconds.
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
  /** Place in `sittings` of the one that this is about; null for the whole study. */
  readonly sitting: number | null;
  readonly from: number;
  readonly until: number;
  /** The best when it began and when it ended, by all runs that are known now; null before the baseline. */
  readonly before: DebriefRecord | null;
  readonly after: DebriefRecord | null;
  /** What a model wrote of it, if it was asked to. */
  readonly summary: DebriefSummary | null;
  /** What the numbers allow to claim of the whole study; null where nothing was repeated. */
  readonly claims: StudyClaims | null;
  readonly counts: DebriefCounts;
  /** In the order they were kept, without the baseline. */
  readonly kept: readonly KeptIdea[];
  readonly takenBack: readonly TakenBackIdea[];
  /** Kinds of ideas that came to nothing, the most tried first. */
  readonly deadEnds: readonly DeadEnd[];
  readonly crashes: readonly CrashGroup[];
  /** Not kept, and perhaps worth a second look; the likeliest first. */
  readonly nearMisses: readonly NearMiss[];
  /** Where what happened was furthest from what was predicted. */
  readonly surprises: readonly Surprise[];
  readonly time: DebriefTime;
  readonly resources: DebriefResources;
  /** Those that proposed, side by side. */
  readonly arms: readonly Arm[];
  /** Versions of the instructions that something was tried under, oldest first. */
  readonly instructions: readonly InstructionsYield[];
  readonly notes: readonly NoteYield[];
  readonly next: readonly NextStep[];
};

export type DebriefSummary = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly model: string;
  /** How many experiments of the study had a verdict then. */
  readonly finished: number;
  /** Each names the experiments it rests on, as `#12`. */
  readonly sentences: readonly string[];
  /** How many sentences were left out because they named no experiment, or an unknown one. */
  readonly dropped: number;
};

/** Those that proposed in several studies. */
export type ArmsOfStudies = {
  /** Their tags. */
  readonly studies: readonly string[];
  readonly arms: readonly Arm[];
};

/** What a debrief can be written as. */
export const REPORT_FORMATS = ['md', 'html', 'json'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export type DebriefSitting = {
  readonly from: number;
  /** Null while it runs. */
  readonly until: number | null;
  /** How many experiments ended in it, the baseline among them. */
  readonly experiments: number;
};

export type DebriefRecord = { readonly n: number; readonly record: Measurement };

export type DebriefCounts = {
  /** With a verdict, without the baseline. */
  readonly tried: number;
  readonly keep: number;
  readonly discard: number;
  readonly crash: number;
  /** Proposals that were turned down before they cost a run. */
  readonly refused: number;
};

/** An experiment as every list of a debrief names it. */
export type DebriefIdea = {
  readonly n: number;
  readonly hypothesis: string;
  readonly category: string | null;
  readonly proposer: string | null;
};

export type KeptIdea = DebriefIdea & {
  readonly rationale: string | null;
  readonly commit: string | null;
  /** Over the keep before it, of their records; null where one has no number. */
  readonly gain: number | null;
  readonly record: Measurement | null;
  /** As in {@link StudyClaims}; null where nothing is claimed. */
  readonly probability: number | null;
  readonly isProven: boolean;
  /** It is shorter and not better: no gain is claimed for it. */
  readonly isSimplification: boolean;
};

export type TakenBackIdea = DebriefIdea & {
  /** In words. */
  readonly why: string;
};

export type DeadEnd = {
  /** What they have in common. */
  readonly kind: 'category' | 'constant' | 'file';
  readonly name: string;
  readonly tried: number;
  /** Gain of the one that came nearest; negative, or null where none had a number. */
  readonly nearest: number | null;
  /** Oldest first. */
  readonly experiments: readonly number[];
};

export type CrashGroup = {
  readonly class: CrashClass | 'imported';
  /** Newest first. */
  readonly experiments: readonly number[];
  /** What the newest one said. */
  readonly message: string;
  readonly trainedSeconds: number;
};

export type NearMiss = DebriefIdea & {
  readonly gain: number | null;
  /** In words. */
  readonly why: string;
};

export type Surprise = DebriefIdea & { readonly predicted: number; readonly actual: number };

/** Where the time went. What overlaps, as proposals prepared during a run, is counted in both. */
export type DebriefTime = {
  /** From the start to the end of its sittings. */
  readonly wall: number;
  /** Of the runs that led to a verdict. */
  readonly trained: number;
  /** Of those, of experiments that crashed. */
  readonly crashed: number;
  /** Runs that were made again because they were not fair. */
  readonly unfair: number;
  /** Further runs of what had its verdict: noise, audits, headlines, probes, seeds. */
  readonly repeats: number;
  /** In calls of proposers. */
  readonly proposing: number;
  /** The study was paused. */
  readonly paused: number;
};

export type DebriefResources = {
  /** Of the GPUs; null where no power was measured. */
  readonly energyWh: number | null;
  /** Of calls to models in US dollars; null where none had a price. */
  readonly costUsd: number | null;
};

/** A value with the ends of its 90 % interval. */
export type Interval = { readonly value: number; readonly low: number; readonly high: number };

/** What one proposer did. A rate is null where its denominator is not known or 0. */
export type Arm = {
  readonly proposer: string;
  readonly experiments: number;
  readonly keep: number;
  readonly crash: number;
  /** Of its keeps, over the keep before each. */
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
  /** Null where nothing trained. */
  readonly gainPerHour: number | null;
  /** The most frequent first. */
  readonly categories: readonly { readonly name: string; readonly count: number }[];
  /** First and last experiment; null where there was none. */
  readonly range: readonly [number, number] | null;
  /** How many at its end brought no gain, one after the other. */
  readonly sinceGain: number;
};

/** As many experiments without a gain say that a version of the instructions has run out. */
export const RUN_OUT = 20;

export type InstructionsYield = Yield & { readonly version: number };

export type NoteYield = Yield & { readonly text: string };

/** Something to do now, with why. */
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
