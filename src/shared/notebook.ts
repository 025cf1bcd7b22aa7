import type { AverageState } from './charts/smooth-series.ts';
import type { StudyClaims } from './claims.ts';
import type { Contract, StopRules } from './contract.ts';
import type { FairnessFlag } from './fairness.ts';
import type { ModelCall, Spend } from './model-calls.ts';
import type { ProposerSettings } from './proposers.ts';
import type { ReviewOutcome } from './review.ts';
import type { Notice, Settings } from './settings.ts';
import type {
  Evidence,
  Measurement,
  OtherLines,
  Phase,
  RepeatPurpose,
  ShownOutcome,
  ShownVerdict,
  StopReason,
  StudyState,
  Tally,
} from './study.ts';
import type { GpuState, TelemetrySample } from './telemetry.ts';

/**
 * What a window is shown: the ledger's content in the shape of the notebook. Everything here is a picture of the
 * ledger that can be thrown away and read again. Times are milliseconds since the epoch.
 */

/** One experiment as a closed cell of the notebook. */
export type Cell = {
  readonly n: number;
  readonly phase: Phase;
  readonly hypothesis: string | null;
  readonly category: string | null;
  /** Predicted change of the metric. */
  readonly predictedEffect: number | null;
  readonly verdict: Pick<ShownVerdict, 'word' | 'reason'> | null;
  /** The number that gave the verdict. */
  readonly metric: number | null;
  /** The mean of all its runs that count. */
  readonly record: Measurement | null;
  /** The incumbent's record when the verdict was given. */
  readonly incumbentMetric: number | null;
  /** `record` minus the incumbent's; null where either is missing. */
  readonly delta: number | null;
  /** In the unit of the contract's memory metric. */
  readonly memory: number | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Wall time of its runs together. */
  readonly trainedSeconds: number | null;
  readonly commit: string | null;
  readonly tags: readonly string[];
  readonly notes: number;
  /** Whether its last run was contained; null if none ran, or it was not recorded. */
  readonly isContained: boolean | null;
  /** Kept, and its gain was there with other validation data too. */
  readonly isAudited: boolean;
  /** The user changed the proposal before it ran. */
  readonly isEdited: boolean;
  /** The experiment it was made on; null for the baseline, and while it has no verdict. */
  readonly parent: number | null;
  /** The same where it was started from one that the branch left; known from the beginning, null for any other. */
  readonly otherLine: number | null;
  /** The two experiments whose edits it tries together, the one that lost first; null for any other. */
  readonly combines: readonly [number, number] | null;
  /** A kept experiment that took the place of this one, which was kept too; null where none did. */
  readonly supersededBy: number | null;
  /** What a crash said of itself; null for everything else. */
  readonly crash: string | null;
};

/** What stands between two cells: something the user or the study did at a time. */
export type Mark = {
  readonly id: number;
  readonly at: number;
  /** The experiment it comes before. */
  readonly n: number;
  readonly kind:
    | 'started'
    | 'stopped'
    | 'paused'
    | 'continued'
    | 'steered'
    | 'instructions'
    | 'memory'
    | 'applied'
    | 'approval'
    | 'rested'
    | 'unfair'
    | 'repeated'
    | 'rolled_back'
    | 'warning';
  /** What to show: the steering note, the reason of the stop, the branch. */
  readonly text: string;
};

/** A proposal that was turned down before it cost a run. */
export type RefusedProposal = {
  readonly n: number;
  readonly at: number;
  readonly reason: string;
  readonly message: string;
  readonly hypothesis: string | null;
};

/** A study with how it stands. */
export type StudyCard = {
  readonly id: string;
  readonly tag: string;
  /** `autoresearch/<tag>`; null for an imported study. */
  readonly branch: string | null;
  readonly repositoryPath: string;
  readonly gitDir: string;
  readonly contract: Contract;
  readonly proposer: ProposerSettings;
  readonly stop: StopRules;
  readonly state: StudyState;
  readonly stopReason: StopReason | null;
  readonly stopDetail: string | null;
  readonly createdAt: number;
  readonly baseCommit: string;
  readonly importedFrom: string | null;
  readonly tally: Tally;
  /** What its numbers allow to claim; null where nothing is repeated: before the baseline, greedy, imported. */
  readonly claims: StudyClaims | null;
  /** What calls to models came to; null where none was made. */
  readonly spend: Spend | null;
  /** UUID or number of the GPU that was chosen for it; null leaves it to the machine. */
  readonly gpu: string | null;
  /** As in {@link Study}. */
  readonly capUsd: number | null;
  readonly title: string | null;
  readonly archivedAt: number | null;
  /** Of the GPUs of all its runs, in Wh; null where no power was measured. */
  readonly gpuEnergyWh: number | null;
  /** Whether the study's last run was contained; null if none ran, or it was not recorded. */
  readonly isContained: boolean | null;
  /** Approve mode: each proposal waits for the user. */
  readonly asksApproval: boolean;
  /** One more than the highest experiment number; 0 for an empty study. */
  readonly cells: number;
  /** When the last experiment began or ended; `createdAt` before the first, and of an imported study. */
  readonly activeAt: number;
  readonly current: CurrentExperiment | null;
  /** All that are in flight, by number; more than one only where the study has several lanes. */
  readonly inFlight: readonly CurrentExperiment[];
  /** As in {@link Study}. */
  readonly lanes: readonly string[];
  /** As in {@link Study}. */
  readonly otherLines: OtherLines;
  /** Its sitting is being made ready, and has not said yet that it begins. */
  readonly isStarting: boolean;
  /** How fast the sitting goes that is on; null where none is. */
  readonly pace: Pace | null;
  /** How many ideas wait in its queue, and how often that was changed. */
  readonly ideas: { readonly waiting: number; readonly version: number };
  /** The proposal that waits for the user, also in a study that is stopped. */
  readonly waiting: { readonly n: number; readonly review: number } | null;
};

/** What can be said of when a sitting ends. */
export type Pace = {
  /** When its deadline comes; null without one. */
  readonly deadline: number | null;
  /** Mean wall time of the experiments that ended in this sitting, pauses not counted; null before the first. */
  readonly experimentMs: number | null;
  /** When the experiment in flight had its turn. */
  readonly since: number;
};

/** An experiment in flight. */
export type CurrentExperiment = {
  readonly n: number;
  readonly phase: Phase;
  readonly hypothesis: string | null;
  /** The run that trains, if one does. */
  readonly run: { readonly k: number; readonly startedAt: number; readonly lane: string | null } | null;
  /** What the user asked for and has not happened yet. */
  readonly wish: 'pause' | 'stop' | null;
};

/** A repository the user has opened. */
export type Project = {
  readonly gitDir: string;
  readonly path: string;
  /** Last component of the path. */
  readonly name: string;
  readonly openedAt: number;
  /** False where the folder is not there any more. */
  readonly exists: boolean;
};

/** One line of the progress of what trains now. */
export type LivePoint = {
  /** Since the run began. */
  readonly seconds: number;
  /** The newest value of each series that moved. Non-finite numbers are null. */
  readonly values: Readonly<Record<string, number | null>>;
};

/** Points of one run, oldest first. */
export type LiveRun = {
  readonly study: string;
  readonly n: number;
  readonly k: number;
  readonly points: readonly LivePoint[];
};

/** What a proposer is at while it proposes. */
export type Thought = { readonly study: string; readonly n: number; readonly text: string };

/**
 * What the host sends to every window, in order. State travels whole (a cell, a card), so applying an event twice or
 * after a later snapshot does no harm; a gap in `seq` means something was missed and the window reads everything again.
 */
export type NotebookEvent =
  | { readonly type: 'study'; readonly card: StudyCard }
  | { readonly type: 'cell'; readonly study: string; readonly cell: Cell }
  | { readonly type: 'study_removed'; readonly study: string }
  | { readonly type: 'cell_removed'; readonly study: string; readonly n: number }
  | { readonly type: 'mark'; readonly study: string; readonly mark: Mark }
  | { readonly type: 'refused'; readonly study: string; readonly refusal: RefusedProposal }
  | ({ readonly type: 'live' } & LiveRun)
  | ({ readonly type: 'thought' } & Thought)
  | { readonly type: 'telemetry'; readonly sample: TelemetrySample; readonly gpuState: GpuState }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'settings'; readonly settings: Settings }
  | { readonly type: 'projects'; readonly projects: readonly Project[] };

/** Events of consecutive numbers: the first is `from`. */
export type EventBatch = { readonly from: number; readonly events: readonly NotebookEvent[] };

/** All a window needs to begin with; cells follow by page. */
export type Snapshot = {
  /** Names one life of the host; sequence numbers of another life mean nothing. */
  readonly epoch: string;
  /** The last event that is part of this picture. */
  readonly seq: number;
  readonly projects: readonly Project[];
  readonly studies: readonly StudyCard[];
  readonly settings: Settings;
  /** The last minutes of the machine, oldest first. */
  readonly telemetry: readonly TelemetrySample[];
  readonly gpuState: GpuState;
  /** The newest points of what trains; older ones are in the ledger, later ones come as events. */
  readonly live: LiveRun | null;
  /** The newest cells of the study that runs, else of the one that was asked for; newest first. */
  readonly first: { readonly study: string; readonly cells: readonly Cell[] } | null;
};

export type RunView = {
  readonly k: number;
  /** As in {@link Run}. */
  readonly purpose: RepeatPurpose | null;
  readonly commit: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly outcome: ShownOutcome | null;
  /** Everything the training printed in its summary, in order; non-finite numbers as words. */
  readonly summary: readonly { readonly name: string; readonly value: number | string }[];
  readonly crash: {
    readonly class: string;
    readonly message: string;
    readonly tail: readonly string[];
  } | null;
  readonly peakRssBytes: number | null;
  readonly cpuSeconds: number | null;
  readonly outputBytes: number | null;
  /** Names of the series it printed, with their units; the main one (the loss) first. */
  readonly series: readonly { readonly name: string; readonly unit: string | null }[];
  /** Whether it told how many tokens it trained on, so that its curves can be placed by them. */
  readonly hasTokens: boolean;
  readonly telemetry: readonly string[];
  /** What may have made its number unfair. */
  readonly flags: readonly FairnessFlag[];
  /** Of its GPUs while it trained, in Wh; null where no power was measured. */
  readonly gpuEnergyWh: number | null;
  /** Whether it was contained; null if not recorded. */
  readonly isContained: boolean | null;
};

/** An opened cell. */
/** An experiment that another was built on. */
export type Ancestor = {
  readonly n: number;
  readonly hypothesis: string | null;
  readonly metric: number | null;
  /** Left: measured, and not kept. */
  readonly standing: 'kept' | 'left' | 'taken_back';
};

export type ExperimentDetail = {
  readonly cell: Cell;
  readonly rationale: string | null;
  readonly evidence: Evidence | null;
  /** Who proposed it; null if not recorded. */
  readonly proposer: string | null;
  /** What kind of idea a model was asked for: another one on a plateau. */
  readonly mode: string | null;
  /** The user's decision in approve mode; null if the user was not asked. */
  readonly reviewed: ReviewOutcome | null;
  /** Calls to a model that were made for it, oldest first. */
  readonly calls: readonly ModelCall[];
  readonly parentCommit: string | null;
  /** What it was built on: its parent, that one's, and so on; the first one first. */
  readonly lineage: readonly Ancestor[];
  /** The incumbent it was measured against. */
  readonly incumbent: number | null;
  readonly files: readonly {
    readonly path: string;
    readonly added: number | null;
    readonly removed: number | null;
  }[];
  readonly runs: readonly RunView[];
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  readonly refusals: readonly RefusedProposal[];
  /** Of an imported row: its fields under their headings. */
  readonly imported: readonly { readonly name: string; readonly value: string }[] | null;
  /** Until when its number may still come; null where none is waited for. */
  readonly awaitedUntil: number | null;
};

/** More experiments side by side can be told apart neither as curves nor as columns. */
export const MOST_COMPARED = 8;

/** A constant whose value is not the same in all of some experiments. */
export type ConstantDifference = {
  readonly file: string;
  readonly name: string;
  /** As it is written, of each experiment in the order that was asked for; null where it has none. */
  readonly values: readonly (string | null)[];
};

/** A thinned series: `x` seconds since the run began, step or tokens; `y` values; null is a value that was NaN or infinite. */
export type SeriesView = {
  readonly n: number;
  readonly k: number;
  readonly name: string;
  readonly unit: string | null;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Points before thinning. */
  readonly total: number;
  /** Seconds from the beginning of the run to its first step; null where it printed none. */
  readonly firstStepAt: number | null;
  /** The moving average of all its points, thinned, and where it ended; null where none was asked for. */
  readonly smooth: {
    readonly x: readonly number[];
    readonly y: readonly (number | null)[];
    readonly state: AverageState;
  } | null;
};

/** A piece of a run's log without control sequences. Offsets are bytes of the log file. */
export type LogPiece = {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly lines: readonly string[];
  /** False while the run may still write. */
  readonly isComplete: boolean;
};

export type LogHit = { readonly offset: number; readonly line: string };

/** What the training printed, as it came, for a terminal. */
export type OutputPiece = {
  /** Base64 of raw bytes. */
  readonly data: string;
  /** Bytes that were left out before this piece because they came faster than anybody can read. */
  readonly skipped: number;
};

export type InstructionsVersion = {
  /** 0 is the file as the study's base commit has it. */
  readonly id: number;
  readonly at: number;
  readonly bytes: number;
};

export type Instructions = {
  /** Path in the repository; null where the contract names no instructions. */
  readonly path: string | null;
  readonly text: string;
  /** Newest first. */
  readonly versions: readonly InstructionsVersion[];
};
