import { eventIterator, oc, type } from '@orpc/contract';
import { z } from 'zod';
import { CELL_PAGE } from '../cell-pages.ts';
import type { ChannelView, MessagePreview } from '../channel.ts';
import { MOST_SMOOTHING } from '../charts/smooth-series.ts';
import { contractFileSchema } from '../contract/contract-schema.ts';
import type { Folder, Inspection, PreflightCheck, SetUpView } from '../contract/set-up.ts';
import { type ArmsOfStudies, type Debrief, type DebriefSummary, REPORT_FORMATS } from '../debrief/debrief.ts';
import { type ImportAnswer, MAX_TABLE_CHARACTERS } from '../imports.ts';
import {
  type Cell,
  type ConstantDifference,
  type EventBatch,
  type ExperimentDetail,
  type LogHit,
  type LogPiece,
  type Mark,
  MOST_COMPARED,
  type OutputPiece,
  type RefusedProposal,
  type SeriesView,
  type Snapshot,
  type StudyCard,
} from '../notebook.ts';
import type { StudyLoss, StudyOutline } from '../overview.ts';
import type { KeyStatus, ModelChoice } from '../proposers/model-calls.ts';
import type { AgentStatus, AgentTrial, ProposerRecord } from '../proposers/proposer-calls.ts';
import type { SpendPlan } from '../proposers/spend-plan.ts';
import { decisionSchema, type ReviewView } from '../review.ts';
import { SAMPLE_NAMES } from '../samples.ts';
import type { HostInfo, Settings } from '../settings.ts';
import type { SteeringEffect } from '../steering.ts';
import {
  CONSTANTS_PAGE,
  type ConstantsPage,
  GPU_USE_PAGE,
  type GpuUse,
  type ImportanceAnswer,
  TABLE_PAGE,
  type TableRow,
} from '../table-rows.ts';
import { METRIC_CHECK_RUNS, type MetricCheckStep } from '../verdicts/metric-check.ts';
import { briefingCalls } from './briefing-calls.ts';
/**
 * Every call a window can make, and what comes back. Inputs are checked against their schema on arrival, on every
 * host; outputs come from the engine's side, which the window trusts. A refused call rejects with an error whose
 * `data.code` is one of `ERROR_CODES` and whose message is one sentence the user can act on.
 */
import {
  agreesSetUp,
  baseUrl,
  channelInput,
  gpuName,
  inExperiment,
  inRun,
  inStudy,
  k,
  MAX_WIDTH,
  modelKey,
  n,
  newStudySchema,
  path,
  settingsPatchSchema,
  sittingSettings,
  study,
  text,
} from './call-inputs.ts';
import { handyCalls } from './handy-calls.ts';
import { ideaCalls } from './idea-calls.ts';
import { jobCalls } from './job-calls.ts';
import { stackCalls } from './stack-calls.ts';

/**
 * Every call a window can make, and what comes back. Inputs are checked against their schema on arrival, on every
 * host; outputs come from the engine's side, which the window trusts. A refused call rejects with an error whose
 * `data.code` is one of `ERROR_CODES` and whose message is one sentence the user can act on.
 */
export const calls = {
  app: {
    info: oc.output(type<HostInfo>()),
    /** `study` is opened first if none is running. */
    snapshot: oc.input(inStudy.optional()).output(type<Snapshot>()),
    /**
     * Batches of events after `after`, at most ten a second. Ends if the host cannot continue from there (the host
     * was restarted, or the window is too far behind): the window then reads a new snapshot.
     */
    events: oc
      .input(z.strictObject({ epoch: text(64), after: z.number().int().nonnegative() }))
      .output(eventIterator(type<EventBatch>())),
    saveSettings: oc.input(settingsPatchSchema).output(type<Settings>()),
    /** Shows that the connection is alive. */
    ping: oc.output(type<'pong'>()),
  },
  projects: {
    inspect: oc.input(z.strictObject({ path })).output(type<Inspection>()),
    /** What a set-up command would run as the user, and whether the user has agreed to it. */
    setUp: oc.input(z.strictObject({ path, command: text(10_000).trim().min(1) })).output(type<SetUpView>()),
    check: oc
      .input(z.strictObject({ path, tag: text(64).optional(), contract: contractFileSchema.optional() }))
      .output(type<readonly PreflightCheck[]>()),
    /**
     * Trains the code several times, and once broken, to find out what its metric is worth: progress, then the
     * outcome. Only one at a time, and not while a study runs. Ends when the reader stops, or with `endMetricCheck`.
     */
    checkMetric: oc
      .input(
        z.strictObject({
          path,
          runs: z.number().int().min(METRIC_CHECK_RUNS.least).max(METRIC_CHECK_RUNS.most),
          hours: z.number().positive().max(10_000),
          /** Whether to break a constant on purpose in a further run. */
          breaks: z.boolean(),
          gpu: gpuName.optional(),
          agreesSetUp,
          contract: contractFileSchema.optional(),
        }),
      )
      .output(eventIterator(type<MetricCheckStep>())),
    /** Ends the check in progress, if any; resolves once nothing is left of it. */
    endMetricCheck: oc,
    /** Folders in a path on the host's machine; by default the home folder. */
    browse: oc.input(z.strictObject({ path: path.optional(), hidden: z.boolean() })).output(type<Folder>()),
    /** The system's own folder dialog; null if the user closed it. */
    choose: oc.output(type<string | null>()),
    /** The models that a server offers. Rejects with `proposer_invalid` if it cannot be asked. */
    models: oc.input(z.strictObject({ baseUrl, key: modelKey })).output(type<readonly ModelChoice[]>()),
    /** What experiments with a model will probably cost in a repository, with these editable files. */
    spendPlan: oc
      .input(
        z.strictObject({
          ...{ path, model: text(200).trim().min(1) },
          editable: z.array(path).max(1_000),
          instructions: path.nullable(),
          budgetSeconds: z.number().positive().nullable(),
        }),
      )
      .output(type<SpendPlan>()),
    /** A fresh copy of a sample project. */
    createSample: oc
      .input(z.strictObject({ name: z.enum(SAMPLE_NAMES) }))
      .output(type<{ readonly path: string }>()),
    forget: oc.input(z.strictObject({ gitDir: path })),
    /** Writes pawl.toml into the user's checkout at the user's request. Refuses to replace one. */
    saveContract: oc
      .input(z.strictObject({ path, contract: contractFileSchema }))
      .output(type<{ readonly file: string }>()),
  },
  studies: {
    /** Creates the study and starts it. */
    start: oc.input(newStudySchema).output(type<StudyCard>()),
    resume: oc
      .input(
        z.strictObject({
          study,
          ...sittingSettings,
          /** The maximum number of runs for more reliable claims, instead of trying anything new. */
          audit: z.number().int().min(1).max(500).optional(),
          /** The repository's new place, if it was moved. */
          repository: path.optional(),
        }),
      )
      .output(type<StudyCard>()),
    request: oc.input(z.strictObject({ study, kind: z.enum(['pause', 'continue', 'stop', 'stop_now']) })),
    /** Ends the training of one experiment now; the others continue. Rejects with `usage` if it is not training. */
    stopRun: oc.input(inExperiment),
    /** Stores a note to the proposers, and returns what they will do with it. */
    steer: oc
      .input(z.strictObject({ study, text: text(4_000).trim().min(1, 'Write the note first.') }))
      .output(type<SteeringEffect>()),
    /** Turns approve mode on or off; when it is turned off, a waiting proposal runs. */
    setApproval: oc.input(z.strictObject({ study, asks: z.boolean() })),
    /** The proposal of an experiment that waits for the user, or null. */
    review: oc.input(inExperiment).output(type<ReviewView | null>()),
    /**
     * Resolves once the decision is carried out. Rejects with `usage` if the proposal no longer waits, or changed
     * files are not a valid edit.
     */
    decide: oc.input(
      z.strictObject({ study, review: z.number().int().nonnegative(), decision: decisionSchema }),
    ),
    /** Makes a branch at the incumbent. */
    applyBest: oc
      .input(z.strictObject({ study, branch: text(200).trim().min(1, 'Name the branch.') }))
      .output(type<{ readonly commit: string; readonly n: number }>()),
    /** Cells below `before` (all if null), highest number first. */
    cells: oc
      .input(z.strictObject({ study, before: n.nullable(), limit: z.number().int().min(1).max(CELL_PAGE) }))
      .output(type<readonly Cell[]>()),
    /** What a table shows about these experiments in addition to their cells; missing ones are left out. */
    tableRows: oc
      .input(z.strictObject({ study, ns: z.array(n).max(TABLE_PAGE) }))
      .output(type<readonly TableRow[]>()),
    /** The constants in the editable files of these experiments. */
    constants: oc
      .input(z.strictObject({ study, ns: z.array(n).max(CONSTANTS_PAGE) }))
      .output(type<ConstantsPage>()),
    /** How busy the GPU was while these experiments trained. */
    gpuUse: oc
      .input(z.strictObject({ study, ns: z.array(n).max(GPU_USE_PAGE) }))
      .output(type<readonly GpuUse[]>()),
    /** How much each constant matters to the metric. */
    importance: oc.input(inStudy).output(type<ImportanceAnswer>()),
    marks: oc
      .input(inStudy)
      .output(type<{ readonly marks: readonly Mark[]; readonly refusals: readonly RefusedProposal[] }>()),
    /** How each study's best value developed, for an overview. */
    outlines: oc.output(type<readonly StudyOutline[]>()),
    /** Bytes of each study's logs and worktree. */
    diskUse: oc.output(type<readonly { readonly study: string; readonly bytes: number }[]>()),
    /** The user's title for a study; null restores its tag. Branch and refs keep their names. */
    rename: oc.input(z.strictObject({ study, title: text(80).trim().min(1, 'Write a name.').nullable() })),
    /** Archives it, so that lists leave it out, or takes it out of the archive. */
    archive: oc.input(z.strictObject({ study, isArchived: z.boolean() })),
    /** What would be lost if it were deleted. */
    loss: oc.input(inStudy).output(type<StudyLoss>()),
    /** Deletes it for good. Rejects with `usage` while it runs. */
    remove: oc.input(z.strictObject({ study, keepsRefs: z.boolean() })),
    /** The debrief of the study, or of one sitting, given by its index, negative from the end. */
    debrief: oc
      .input(z.strictObject({ study, sitting: z.number().int().nullable() }))
      .output(type<Debrief>()),
    /** Compares the proposers of all studies of its repository and metric; null if it is the only one. */
    arms: oc.input(inStudy).output(type<ArmsOfStudies | null>()),
    /** Asks the study's own model to summarize the debrief. Rejects with `usage` if it has none, or the model cannot. */
    summarise: oc
      .input(z.strictObject({ study, sitting: z.number().int().nullable() }))
      .output(type<DebriefSummary>()),
    /** The debrief as the text of a file for others. */
    report: oc
      .input(
        z.strictObject({
          ...{ study, sitting: z.number().int().nullable(), format: z.enum(REPORT_FORMATS) },
          hasDiffs: z.boolean(),
        }),
      )
      .output(type<{ readonly text: string }>()),
    /** Numbers of the experiments that match, best first. */
    search: oc.input(z.strictObject({ study, words: text(400) })).output(type<readonly number[]>()),
    /**
     * Imports results as a read-only study: a file or folder on the host's machine, or the text of a table that the
     * user dropped. If the file leaves something open, the answer is a question, and nothing was written.
     */
    import: oc
      .input(
        z.strictObject({
          source: z.union([
            z.strictObject({ path }),
            z.strictObject({ name: text(255).min(1), text: text(MAX_TABLE_CHARACTERS) }),
          ]),
          tag: text(64).optional(),
          goal: z.enum(['minimize', 'maximize']).optional(),
          metric: text(200).min(1).optional(),
        }),
      )
      .output(type<ImportAnswer>()),
    /** The pieces of the file, in order. */
    export: oc
      .input(z.strictObject({ study, format: z.enum(['json', 'csv', 'tsv']) }))
      .output(eventIterator(type<string>())),
  },
  stack: stackCalls,
  ideas: ideaCalls,
  jobs: jobCalls,
  experiments: {
    ...handyCalls,
    get: oc.input(inExperiment).output(type<ExperimentDetail>()),
    /** Unified diff from its parent, or from another experiment's attempt, to this one's. */
    diff: oc
      .input(z.strictObject({ study, n, against: n.optional() }))
      .output(type<{ readonly diff: string; readonly isCut: boolean }>()),
    /** Constants whose values differ between the experiments. */
    constants: oc
      .input(z.strictObject({ study, ns: z.array(n).min(2).max(MOST_COMPARED) }))
      .output(type<readonly ConstantDifference[]>()),
    series: oc
      .input(
        z.strictObject({
          study,
          runs: z
            .array(z.strictObject({ n, k: k.optional() }))
            .min(1)
            .max(32),
          /** Default: the main series of each run. */
          names: z.array(text(200)).max(32).optional(),
          source: z.enum(['training', 'telemetry']),
          by: z.enum(['seconds', 'step', 'tokens']),
          /** As in `smoothSeries`. */
          smoothing: z.number().min(0).max(MOST_SMOOTHING).optional(),
          width: z.number().int().min(2).max(MAX_WIDTH),
        }),
      )
      .output(type<readonly SeriesView[]>()),
    /** The main series of each experiment in a few points; experiments without one are left out. */
    sparklines: oc
      .input(z.strictObject({ study, ns: z.array(n).max(100), width: z.number().int().min(2).max(200) }))
      .output(type<readonly { readonly n: number; readonly y: readonly (number | null)[] }[]>()),
    /** Lines from byte `from` on (null: the end of the log), up to byte `to`. */
    log: oc
      .input(
        z.strictObject({
          ...{ study, n, k },
          from: z.number().int().nonnegative().nullable(),
          to: z.number().int().nonnegative().optional(),
        }),
      )
      .output(type<LogPiece>()),
    searchLog: oc
      .input(z.strictObject({ study, n, k, words: text(200).min(1) }))
      .output(type<{ readonly hits: readonly LogHit[]; readonly isCut: boolean }>()),
    /** Follows the output of a run from shortly before now until it ends. */
    output: oc.input(inRun).output(eventIterator(type<OutputPiece>())),
    addNote: oc.input(
      z.strictObject({ study, n, text: text(20_000).trim().min(1, 'Write the note first.') }),
    ),
    /** Enters the number that an experiment waits for. Rejects with `usage` if it does not wait. */
    enterNumber: oc.input(
      z.strictObject({
        ...{ study, n, value: z.number().finite() },
        source: text(500).trim().min(1, 'Say where the number comes from.'),
      }),
    ),
    setTags: oc.input(z.strictObject({ study, n, tags: z.array(text(40).trim().min(1)).max(20) })),
  },
  proposers: {
    /** The agents on this machine; if patient, also the versions of slow ones. */
    agents: oc.input(z.strictObject({ isPatient: z.boolean() })).output(type<readonly AgentStatus[]>()),
    /** Asks an agent for one harmless proposal in an empty folder. */
    tryAgent: oc
      .input(
        z.strictObject({
          agent: text(40).trim().min(1, 'Choose an agent.'),
          model: text(200).trim().min(1).nullable(),
        }),
      )
      .output(type<AgentTrial>()),
    /** Each proposer's results so far: in one study, or in all. */
    records: oc.input(z.strictObject({ study: study.nullable() })).output(type<readonly ProposerRecord[]>()),
  },
  /** How the user gets messages away from this machine. */
  channel: {
    get: oc.output(type<ChannelView | null>()),
    /** The exact text of each kind of message; sends nothing. */
    preview: oc.input(channelInput).output(type<readonly MessagePreview[]>()),
    /** Sends one test message; `error` is null if it was accepted. */
    test: oc.input(channelInput).output(type<{ readonly error: string | null }>()),
    save: oc.input(channelInput.extend({ isOn: z.boolean() })).output(type<ChannelView | null>()),
  },
  keys: {
    status: oc.output(type<KeyStatus>()),
    store: oc.input(z.strictObject({ key: text(1_000).trim().min(1, 'Write the key first.') })),
    forget: oc,
  },
  ...briefingCalls,
};
