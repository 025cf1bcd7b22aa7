import { z } from 'zod';
import { FLAG_KINDS } from './fairness.ts';
import { HINTS, PROBE_REASONS } from './probes.ts';
import { PHASES, REPEAT_PURPOSES, STOP_REASONS } from './study.ts';

/**
 * Everything the engine tells its hosts, in order. An event is sent after the ledger holds what it says, so a
 * host that missed some can always read the ledger instead. Times are milliseconds since the epoch.
 */
const base = { seq: z.number().int(), at: z.number().int(), study: z.string() };
const n = z.number().int().nonnegative();
const k = z.number().int().nonnegative();
const commit = z.string();
/** JSON has no NaN and no infinity, so they travel as words. */
const scalar = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);

export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    ...base,
    type: z.literal('study_started'),
    tag: z.string(),
    repository: z.string(),
    branch: z.string(),
    baseCommit: commit,
    metric: z.string(),
    goal: z.enum(['minimize', 'maximize']),
    budgetSeconds: z.number(),
    limitSeconds: z.number(),
    proposer: z.string(),
    resumed: z.boolean(),
    /** The incumbent's metric so far; null before the baseline. */
    best: z.number().nullable(),
    /** Why its runs are not contained; null where they are. */
    uncontained: z.string().nullable(),
  }),
  z.object({ ...base, type: z.literal('setup_started'), command: z.string() }),
  z.object({ ...base, type: z.literal('setup_finished'), seconds: z.number() }),
  z.object({ ...base, type: z.literal('experiment_started'), n, parent: commit }),
  z.object({ ...base, type: z.literal('phase'), n, phase: z.enum(PHASES) }),
  /** What the proposer is at while it proposes: the newest of its thoughts, or of what it looks at. */
  z.object({ ...base, type: z.literal('thought'), n, text: z.string() }),
  z.object({
    ...base,
    type: z.literal('proposed'),
    n,
    hypothesis: z.string(),
    rationale: z.string().nullable(),
    predictedEffect: z.number().nullable(),
    category: z.string().nullable(),
  }),
  z.object({
    ...base,
    type: z.literal('refused'),
    n,
    reason: z.string(),
    message: z.string(),
    hypothesis: z.string().nullable(),
  }),
  /** Approve mode: it waits for the user. */
  z.object({
    ...base,
    type: z.literal('review_opened'),
    n,
    hypothesis: z.string(),
    hints: z.array(z.enum(HINTS)),
  }),
  z.object({
    ...base,
    type: z.literal('review_closed'),
    n,
    outcome: z.enum(['approved', 'sent_back', 'rejected']),
  }),
  z.object({ ...base, type: z.literal('attempted'), n, commit, files: z.array(z.string()) }),
  z.object({
    ...base,
    type: z.literal('run_started'),
    n,
    k,
    pid: z.number().int().nullable(),
    log: z.string(),
  }),
  z.object({
    ...base,
    type: z.literal('progress'),
    n,
    k,
    elapsedSeconds: z.number(),
    /** The newest value of each series that moved since the last progress event. */
    values: z.record(z.string(), scalar),
  }),
  z.object({
    ...base,
    type: z.literal('run_finished'),
    n,
    k,
    outcome: z.string(),
    seconds: z.number(),
    summary: z.record(z.string(), scalar).nullable(),
    outputBytes: z.number().int(),
    peakRssBytes: z.number().nullable(),
    cpuSeconds: z.number().nullable(),
    /** Processes that were still there after the kill; empty is the rule. */
    survivors: z.array(z.number().int()),
  }),
  /** The number was not fairly come by: the experiment is run again. */
  z.object({
    ...base,
    type: z.literal('run_unfair'),
    n,
    k,
    flags: z.array(z.object({ kind: z.enum(FLAG_KINDS), detail: z.string() })),
  }),
  /** A commit that has its verdict is trained again; see `REPEAT_PURPOSES`. */
  z.object({ ...base, type: z.literal('repeat_started'), n, purpose: z.enum(REPEAT_PURPOSES) }),
  /** Its number, null where that does not count, and the mean of all its runs. */
  z.object({
    ...base,
    type: z.literal('repeated'),
    n,
    k,
    purpose: z.enum(REPEAT_PURPOSES),
    value: z.number().nullable(),
    /** Null of a probe, which counts in no record. */
    record: z.number().nullable(),
    runs: z.number().int().nullable(),
  }),
  /** A keep is taken back: the branch points at its parent again. */
  z.object({
    ...base,
    type: z.literal('rolled_back'),
    n,
    commit,
    record: z.number(),
    runs: z.number().int(),
    parent: n,
    parentCommit: commit,
    parentRecord: z.number(),
  }),
  /** Other data showed that a keep's number is not real: the branch points at the newest ancestor without evidence against it. */
  z.object({
    ...base,
    type: z.literal('taken_back'),
    n,
    commit,
    reason: z.enum(PROBE_REASONS),
    value: z.number().nullable(),
    gain: z.number(),
    gainThere: z.number().nullable(),
    against: n,
    parent: n,
    parentCommit: commit,
    parentRecord: z.number(),
    /** It and all that goes with it. */
    chain: z.array(n),
    /** Those of them whose edits wait to be tried again. */
    queued: z.array(n),
  }),
  z.object({
    ...base,
    type: z.literal('verdict'),
    n,
    verdict: z.enum(['keep', 'discard', 'crash']),
    reason: z.string(),
    metric: z.number().nullable(),
    /** Metric minus the incumbent's; null where either is missing. */
    delta: z.number().nullable(),
    memory: z.number().nullable(),
    message: z.string().nullable(),
    /** Of all its runs; null where none has both ends. */
    seconds: z.number().nullable(),
    hypothesis: z.string(),
    commit: commit.nullable(),
  }),
  z.object({
    ...base,
    type: z.literal('new_best'),
    n,
    commit,
    metric: z.number(),
    previous: z.number().nullable(),
  }),
  /** Trained; its number comes later, until then (milliseconds since the epoch) at the latest. */
  z.object({ ...base, type: z.literal('awaiting_number'), n, k: z.number(), until: z.number() }),
  z.object({ ...base, type: z.literal('interrupted'), n, message: z.string() }),
  /**
   * One of several proposers cannot propose, or failed again and again: it is not asked until then (milliseconds since the
   * epoch). Told once, until it has proposed again.
   */
  z.object({
    ...base,
    type: z.literal('proposer_rests'),
    proposer: z.string(),
    until: z.number(),
    message: z.string(),
    /** Who stands in for it; null if nobody is left. */
    standIn: z.string().nullable(),
  }),
  /** The resting proposer proposes again, or the sitting ended without it. */
  z.object({
    ...base,
    type: z.literal('proposer_rested'),
    proposer: z.string(),
    isBack: z.boolean(),
    /** What others proposed meanwhile, in order. */
    experiments: z.array(z.number()).readonly(),
    standIns: z.array(z.string()).readonly(),
  }),
  z.object({ ...base, type: z.literal('warning'), code: z.string(), message: z.string() }),
  /** Somebody wants a pause or a stop after this experiment, from wherever they asked, or does not any more. */
  z.object({ ...base, type: z.literal('wished'), wish: z.enum(['pause', 'stop']).nullable() }),
  z.object({ ...base, type: z.literal('study_paused') }),
  z.object({ ...base, type: z.literal('study_continued') }),
  z.object({
    ...base,
    type: z.literal('study_stopped'),
    reason: z.enum(STOP_REASONS),
    detail: z.string().nullable(),
    finished: z.number().int(),
    keep: z.number().int(),
    discard: z.number().int(),
    crash: z.number().int(),
    baseline: z.number().nullable(),
    best: z.number().nullable(),
    bestExperiment: z.number().int().nullable(),
    /** What the numbers allow to claim, in sentences; none where nothing is repeated. */
    claims: z.array(z.string()),
  }),
]);

export type EngineEvent = z.infer<typeof eventSchema>;

type WithoutBase<E> = E extends EngineEvent ? Omit<E, 'seq' | 'at' | 'study'> : never;
/** An event before the engine stamps sequence number, time and study on it. */
export type EngineEventBody = WithoutBase<EngineEvent>;
