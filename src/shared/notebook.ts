import type { AverageState } from './charts/smooth-series.ts';
import type { Contract } from './contract/contract.ts';
import type { StopRules } from './contract/stop-rules.ts';
import type { GpuState, TelemetrySample } from './machines/telemetry.ts';
import type { Phase } from './phases.ts';
import type { ModelCall, Spend } from './proposers/model-calls.ts';
import type { ProposerSettings } from './proposers/proposers.ts';
import type { ReviewOutcome } from './review.ts';
import type { Notice, Settings } from './settings.ts';
import type {
  Evidence,
  Measurement,
  OtherLines,
  RepeatPurpose,
  ShownOutcome,
  ShownVerdict,
  StopReason,
  StudyState,
  Tally,
} from './study.ts';
import type { StudyClaims } from './verdicts/claims.ts';
import type { FairnessFlag } from './verdicts/fairness.ts';
import type { ShownReason } from './verdicts/reason-words.ts';

/**
 * What a window shows: the ledger's content in the form of the notebook. All of it can be thrown away and read again.
 * Times are milliseconds since the epoch.
 */

/** One experiment as a closed cell of the notebook. */
export type Cell = {
  readonly n: number;
  readonly phase: Phase;
  /** Why it waits if it was interrupted or put off; otherwise null. */
  readonly whyWaiting: string | null;
  readonly hypothesis: string | null;
  readonly category: string | null;
  /** Predicted change of the metric. */
  readonly predictedEffect: number | null;
  readonly verdict: (Pick<ShownVerdict, 'word' | 'reason'> & Pick<ShownReason, 'guard'>) | null;
  /** The number that led to the verdict. */
  readonly metric: number | null;
  /** The mean of all its runs that count. */
  readonly record: Measurement | null;
  /** The incumbent's record at the time of the verdict. */
  readonly incumbentMetric: number | null;
  /** `record` minus the incumbent's; null if either is missing. */
  readonly delta: number | null;
  /** In the unit of the contract's memory metric. */
  readonly memory: number | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Total wall time of its runs. */
  readonly trainedSeconds: number | null;
  readonly commit: string | null;
  readonly tags: readonly string[];
  readonly notes: number;
  /** Whether its last run was contained; null if none ran, or it was not recorded. */
  readonly isContained: boolean | null;
  /** Whether it was kept and its gain also showed with other validation data. */
  readonly isAudited: boolean;
  /** Whether the user changed the proposal before it ran. */
  readonly isEdited: boolean;
  /** The experiment it was made on; null for the baseline, and until it has a verdict. */
  readonly parent: number | null;
  /** The experiment that it started from, if that is not on the branch; known from the beginning, null for any other. */
  readonly otherLine: number | null;
  /** The two experiments whose edits it combines, the one that was not kept first; null for any other. */
  readonly combines: readonly [number, number] | null;
  /** A kept experiment that replaced this kept one; null if none did. */
  readonly supersededBy: number | null;
  /** A crash's message; null for everything else. */
  readonly crash: string | null;
};

/** An entry between two cells: something that the user or the study did. */
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
    | 'host_away'
    | 'host_joined'
    | 'unfair'
    | 'handed_over'
    | 'repeated'
    | 'rolled_back'
    | 'warning';
  /** The text to show: the steering note, the reason of the stop, the branch. */
  readonly text: string;
  /** The host over ssh that it is about; null for none. */
  readonly host: string | null;
};

/** A proposal that was rejected before it cost a run. */
export type RefusedProposal = {
  readonly n: number;
  readonly at: number;
  readonly reason: string;
  readonly message: string;
  readonly hypothesis: string | null;
};

/** A study and its state. */
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
  /** What its numbers allow to claim; null if nothing is repeated: before the baseline, greedy, imported. */
  readonly claims: StudyClaims | null;
  /** The sum of its model calls; null if there were none. */
  readonly spend: Spend | null;
  /** UUID or number of the GPU chosen for it; null leaves the choice to the machine. */
  readonly gpu: string | null;
  /** As in {@link Study}. */
  readonly capUsd: number | null;
  readonly title: string | null;
  readonly archivedAt: number | null;
  /** Energy of the GPUs in all its runs, in Wh; null if no power was measured. */
  readonly gpuEnergyWh: number | null;
  /** Whether the study's last run was contained; null if none ran, or it was not recorded. */
  readonly isContained: boolean | null;
  /** Approve mode: whether each proposal waits for the user. */
  readonly asksApproval: boolean;
  /** One more than the highest experiment number; 0 for an empty study. */
  readonly cells: number;
  /** When the last experiment began or ended; `createdAt` before the first, and for an imported study. */
  readonly activeAt: number;
  readonly current: CurrentExperiment | null;
  /** All experiments in flight, by number; more than one only if the study has several lanes. */
  readonly inFlight: readonly CurrentExperiment[];
  /** As in {@link Study}. */
  readonly lanes: readonly string[];
  /** As in {@link Study}. */
  readonly otherLines: OtherLines;
  /** Whether its sitting is being prepared and has not reported its beginning yet. */
  readonly isStarting: boolean;
  /** The pace of the current sitting; null if there is none. */
  readonly pace: Pace | null;
  /** How many ideas wait in its queue, and how often the queue was changed. */
  readonly ideas: { readonly waiting: number; readonly version: number };
  /** The proposal that waits for the user, even if the study is stopped. */
  readonly waiting: { readonly n: number; readonly review: number } | null;
};

/** What is known about when a sitting will end. */
export type Pace = {
  /** Its deadline; null if it has none. */
  readonly deadline: number | null;
  /** Mean wall time of the experiments that ended in this sitting, without pauses; null before the first. */
  readonly experimentMs: number | null;
  /** When the experiment in flight got its turn. */
  readonly since: number;
};

/** An experiment in flight. */
export type CurrentExperiment = {
  readonly n: number;
  readonly phase: Phase;
  readonly hypothesis: string | null;
  /** The run in training, if any. */
  readonly run: { readonly k: number; readonly startedAt: number; readonly lane: string | null } | null;
  /** What the user asked for that has not happened yet. */
  readonly wish: 'pause' | 'stop' | null;
};

/** A repository the user has opened. */
export type Project = {
  readonly gitDir: string;
  readonly path: string;
  /** Last component of the path. */
  readonly name: string;
  readonly openedAt: number;
  /** False if the folder no longer exists. */
  readonly exists: boolean;
};

/** One progress line of the run in training. */
export type LivePoint = {
  /** Since the run began. */
  readonly seconds: number;
  /** The newest value of each series that changed. Non-finite numbers are null. */
  readonly values: Readonly<Record<string, number | null>>;
};

/** Points of one run, oldest first. */
export type LiveRun = {
  readonly study: string;
  readonly n: number;
  readonly k: number;
  readonly points: readonly LivePoint[];
};

/** What a proposer is doing while it proposes. */
export type Thought = { readonly study: string; readonly n: number; readonly text: string };

/**
 * What the host sends to every window, in order. State is sent whole (a cell, a card), so applying an event twice or
 * after a later snapshot does no harm; a gap in `seq` means that something was missed, and the window reads
 * everything again.
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

/** Events with consecutive numbers, the first of which is `from`. */
export type EventBatch = { readonly from: number; readonly events: readonly NotebookEvent[] };

/** Everything that a window needs at the start; cells follow by page. */
export type Snapshot = {
  /** Identifies one run of the host; sequence numbers of another run mean nothing. */
  readonly epoch: string;
  /** The last event that is included in this snapshot. */
  readonly seq: number;
  readonly projects: readonly Project[];
  readonly studies: readonly StudyCard[];
  readonly settings: Settings;
  /** The last minutes of the machine, oldest first. */
  readonly telemetry: readonly TelemetrySample[];
  readonly gpuState: GpuState;
  /** The newest points of the run in training; older ones are in the ledger, later ones come as events. */
  readonly live: LiveRun | null;
  /** The newest cells of the running study, else of the requested one; newest first. */
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
  /** Whether it printed how many tokens it trained on, so that its curves can use them as x axis. */
  readonly hasTokens: boolean;
  readonly telemetry: readonly string[];
  /** What may have made its number unfair. */
  readonly flags: readonly FairnessFlag[];
  /** Energy of its GPUs during the training in Wh; null if no power was measured. */
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
  /** `left`: measured, but not kept. */
  readonly standing: 'kept' | 'left' | 'taken_back';
};

export type ExperimentDetail = {
  readonly cell: Cell;
  readonly rationale: string | null;
  readonly evidence: Evidence | null;
  /** Who proposed it; null if not recorded. */
  readonly proposer: string | null;
  /** The kind of idea a model was asked for; it changes on a plateau. */
  readonly mode: string | null;
  /** The user's decision in approve mode; null if the user was not asked. */
  readonly reviewed: ReviewOutcome | null;
  /** Model calls that were made for it, oldest first. */
  readonly calls: readonly ModelCall[];
  readonly parentCommit: string | null;
  /** Its ancestors: its parent, that one's parent, and so on; the first one first. */
  readonly lineage: readonly Ancestor[];
  /** The incumbent it was compared with. */
  readonly incumbent: number | null;
  readonly files: readonly {
    readonly path: string;
    readonly added: number | null;
    readonly removed: number | null;
  }[];
  readonly runs: readonly RunView[];
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  readonly refusals: readonly RefusedProposal[];
  /** For an imported row: its fields under their headings. */
  readonly imported: readonly { readonly name: string; readonly value: string }[] | null;
  /** Until when its number may still arrive; null if it is not awaited. */
  readonly awaitedUntil: number | null;
};

/** More experiments side by side could not be told apart, neither as curves nor as columns. */
export const MOST_COMPARED = 8;

/** A constant whose value differs between some experiments. */
export type ConstantDifference = {
  readonly file: string;
  readonly name: string;
  /** As written in each experiment, in the requested order; null if it has none. */
  readonly values: readonly (string | null)[];
};

/**
 * A thinned series: `x` is seconds since the run began, steps or tokens; `y` are values; null stands for NaN or
 * infinity.
 */
export type SeriesView = {
  readonly n: number;
  readonly k: number;
  readonly name: string;
  readonly unit: string | null;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Number of points before thinning. */
  readonly total: number;
  /** Seconds from the start of the run to its first step; null if it printed none. */
  readonly firstStepAt: number | null;
  /** The thinned moving average of all points, and its final state; null if not requested. */
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

/** Raw output of the training, for a terminal. */
export type OutputPiece = {
  /** Base64 of raw bytes. */
  readonly data: string;
  /** How many bytes were left out before this piece because they came faster than anyone can read. */
  readonly skipped: number;
};

type InstructionsVersion = {
  /** 0 is the file in the study's base commit. */
  readonly id: number;
  readonly at: number;
  readonly bytes: number;
};

export type Instructions = {
  /** Path in the repository; null if the contract names no instructions. */
  readonly path: string | null;
  readonly text: string;
  /** Newest first. */
  readonly versions: readonly InstructionsVersion[];
};
