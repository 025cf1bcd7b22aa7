import { z } from 'zod';
import { PHASES } from './phases.ts';
import { REPEAT_PURPOSES, STOP_REASONS } from './study.ts';
import { FLAG_KINDS } from './verdicts/fairness.ts';
import { HINTS, PROBE_REASONS } from './verdicts/probes.ts';

/**
 * Everything that the engine reports to its hosts, in order. An event is sent after its content is in the ledger, so
 * a host that missed some can always read the ledger instead. Times are milliseconds since the epoch.
 */
const base = { seq: z.number().int(), at: z.number().int(), study: z.string() };
const n = z.number().int().nonnegative();
const k = z.number().int().nonnegative();
const commit = z.string();
/** Why a run's number must not decide. */
const flags = z.array(z.object({ kind: z.enum(FLAG_KINDS), detail: z.string() })).readonly();
/** JSON has neither NaN nor infinity, so they are sent as words. */
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
    /** Why its runs are not contained; null if they are. */
    uncontained: z.string().nullable(),
    /** The lanes that are in reach; empty if there is one, on this machine. */
    lanes: z.array(z.string()),
  }),
  z.object({ ...base, type: z.literal('setup_started'), command: z.string() }),
  z.object({ ...base, type: z.literal('setup_finished'), seconds: z.number() }),
  z.object({ ...base, type: z.literal('experiment_started'), n, parent: commit }),
  z.object({ ...base, type: z.literal('phase'), n, phase: z.enum(PHASES) }),
  /** What the proposer is doing: its newest thought, or what it is looking at. */
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
  /** In approve mode: the proposal waits for the user. */
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
    /** Processes that survived the kill; normally empty. */
    survivors: z.array(z.number().int()),
  }),
  /** The number was not measured fairly, so the experiment is run again. */
  z.object({
    ...base,
    type: z.literal('run_unfair'),
    n,
    k,
    flags,
  }),
  /** It was trained where its number must not decide, and waits for a lane with the hardware of the baseline. */
  z.object({
    ...base,
    type: z.literal('handed_over'),
    n,
    k,
    flags,
  }),
  /** A commit that has its verdict is being trained again; see `REPEAT_PURPOSES`. */
  z.object({ ...base, type: z.literal('repeat_started'), n, purpose: z.enum(REPEAT_PURPOSES) }),
  /** The repeat's number, or null if it does not count, and the mean of all runs. */
  z.object({
    ...base,
    type: z.literal('repeated'),
    n,
    k,
    purpose: z.enum(REPEAT_PURPOSES),
    value: z.number().nullable(),
    /** Null for a probe, which does not count in any record. */
    record: z.number().nullable(),
    runs: z.number().int().nullable(),
  }),
  /** A keep is taken back: the branch moves back to its parent. */
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
  /**
   * Other data showed that a keep's number is not real: the branch moves back to the newest ancestor without evidence
   * against it.
   */
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
    /** The keep and all those taken back with it. */
    chain: z.array(n),
    /** Those whose edits will be tried again. */
    queued: z.array(n),
  }),
  z.object({
    ...base,
    type: z.literal('verdict'),
    n,
    verdict: z.enum(['keep', 'discard', 'crash']),
    reason: z.string(),
    metric: z.number().nullable(),
    /** The metric minus the incumbent's; null if either is missing. */
    delta: z.number().nullable(),
    memory: z.number().nullable(),
    message: z.string().nullable(),
    /** For all of its runs; null if none has both a start and an end. */
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
  /** Trained, but its number comes later, by this time (milliseconds since the epoch) at the latest. */
  z.object({ ...base, type: z.literal('awaiting_number'), n, k: z.number(), until: z.number() }),
  z.object({ ...base, type: z.literal('interrupted'), n, message: z.string() }),
  z.object({ ...base, type: z.literal('put_off'), n, message: z.string() }),
  /**
   * One of several proposers cannot propose, or failed repeatedly, and is not asked until this time (milliseconds
   * since the epoch). Sent once, until it proposes again.
   */
  z.object({
    ...base,
    type: z.literal('proposer_rests'),
    proposer: z.string(),
    until: z.number(),
    message: z.string(),
    /** The stand-in; null if no proposer is left. */
    standIn: z.string().nullable(),
  }),
  /** The resting proposer proposes again, or the sitting ended without it. */
  z.object({
    ...base,
    type: z.literal('proposer_rested'),
    proposer: z.string(),
    isBack: z.boolean(),
    /** What the others proposed meanwhile, in order. */
    experiments: z.array(z.number()).readonly(),
    standIns: z.array(z.string()).readonly(),
  }),
  /** A host over ssh did not answer when the sitting began: it runs without the host's lanes, and keeps asking it. */
  z.object({ ...base, type: z.literal('host_away'), host: z.string(), message: z.string() }),
  /** That host answers, and its lanes are used from now on. */
  z.object({ ...base, type: z.literal('host_joined'), host: z.string(), lanes: z.number().int() }),
  z.object({ ...base, type: z.literal('warning'), code: z.string(), message: z.string() }),
  /** Someone asked, from anywhere, for a pause or a stop after this experiment, or withdrew that request. */
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
    /** The counts include the baseline. */
    baselineVerdict: z.enum(['keep', 'discard', 'crash', 'other']).nullable(),
    baseline: z.number().nullable(),
    best: z.number().nullable(),
    bestExperiment: z.number().int().nullable(),
    /** What the numbers allow to claim, in sentences; empty if nothing is repeated. */
    claims: z.array(z.string()),
  }),
]);

export type EngineEvent = z.infer<typeof eventSchema>;

type WithoutBase<E> = E extends EngineEvent ? Omit<E, 'seq' | 'at' | 'study'> : never;
/** An event before the engine adds its sequence number, time and study. */
export type EngineEventBody = WithoutBase<EngineEvent>;
