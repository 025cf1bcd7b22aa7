import type { Contract } from '../../shared/contract.ts';
import { unreachable } from '../../shared/errors.ts';
import type { FlagKind } from '../../shared/fairness.ts';
import type { GuardFailure } from '../../shared/guard.ts';
import type { PruneEvidence } from '../../shared/prune.ts';
import type { Crash, CrashClass, StopReason, Verdict } from '../../shared/study.ts';
import { decide } from '../stages/judge/decide.ts';
import { type Facts, findStop, type StopLimits } from './stop-rules.ts';

/**
 * The loop as a pure function: what happened goes in, what to do next comes out. The driver performs the effect
 * and comes back with what happened. Nothing here reads a clock, a file or the ledger.
 */

/** A crash that looks like a slip may be mended by the proposer, this often per experiment. */
export const MAX_REPAIRS = 2;
const REPAIRABLE: readonly CrashClass[] = ['exception', 'out_of_memory', 'no_metric', 'diverged'];

/** A run whose number was not fairly come by is run again, this often per experiment. */
export const MAX_RERUNS = 2;

export type Wish = 'go' | 'pause' | 'stop';

export type LoopState = {
  readonly metric: Contract['metric'];
  readonly limits: StopLimits;
  readonly facts: Facts;
  /** Number the next experiment gets. */
  readonly next: number;
  readonly incumbent: { readonly n: number; readonly metric: number } | null;
  readonly wish: Wish;
  readonly canRepair: boolean;
  readonly maxRefusals: number;
  /** Refused or failed proposals for this experiment so far. */
  readonly refusals: number;
  readonly repairs: number;
  /** Further runs of this experiment because one was not fair. */
  readonly reruns: number;
};

/** What the training and the check around it found. */
export type Measured = {
  readonly n: number;
  readonly k: number;
  readonly crash: Crash | null;
  readonly value: number | null;
  readonly memory: number | null;
  readonly sourceLinesDelta: number;
  /** Why the number was not fairly come by; empty where it was. */
  readonly unfair: readonly FlagKind[];
  /** Why the run was ended before its time; null where it was not. */
  readonly pruned: PruneEvidence | null;
  /** What the contract asks for besides the metric and did not get. */
  readonly guard: GuardFailure | null;
  /** Who says the number, where no program of the run printed it. */
  readonly source: string | null;
};

export type LoopEvent =
  /** Start of a sitting. An interrupted experiment with an attempt is trained again, one without proposed anew. */
  | {
      readonly type: 'started';
      readonly interrupted: { readonly n: number; readonly hasAttempt: boolean } | null;
    }
  | { readonly type: 'wished'; readonly wish: Wish }
  | { readonly type: 'proposed'; readonly n: number }
  /** It waits for the user: approve mode. `repair` is the crashed run it mends, or null. */
  | { readonly type: 'submitted'; readonly n: number; readonly repair: Measured | null }
  /** The user did not let it run. */
  | {
      readonly type: 'turned_down';
      readonly how: 'sent_back' | 'rejected';
      readonly n: number;
      readonly repair: Measured | null;
    }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'exhausted'; readonly message: string }
  /** Only the user can help: a pause until they say go on. */
  | { readonly type: 'blocked'; readonly message: string }
  | { readonly type: 'spent'; readonly message: string }
  /** The proposer had no usable mend for a crash: the crash stands. */
  | ({ readonly type: 'repair_failed' } & Measured)
  | { readonly type: 'attempted'; readonly n: number }
  | ({ readonly type: 'measured' } & Measured)
  /** Trained, and its number comes later. */
  | { readonly type: 'awaiting'; readonly n: number; readonly unfair: readonly FlagKind[] }
  /** Something else is to be done than to wait for it: the user's wish, or the deadline. */
  | { readonly type: 'disturbed' }
  /** It came, or did not in time. */
  | ({ readonly type: 'numbered' } & Measured)
  | { readonly type: 'recorded'; readonly n: number; readonly verdict: Verdict };

export type Effect =
  | { readonly type: 'take_baseline' }
  | { readonly type: 'propose'; readonly n: number; readonly repair: Measured | null }
  | { readonly type: 'attempt'; readonly n: number }
  | { readonly type: 'review'; readonly n: number; readonly repair: Measured | null }
  | { readonly type: 'train'; readonly n: number }
  | { readonly type: 'await_number'; readonly n: number }
  | { readonly type: 'record'; readonly n: number; readonly verdict: Verdict }
  | { readonly type: 'wait' }
  | { readonly type: 'stop'; readonly reason: StopReason; readonly detail: string | null };

export type Step = { readonly state: LoopState; readonly effect: Effect };

/**
 * @param now milliseconds since the epoch, for the deadline
 */
export function step(state: LoopState, event: LoopEvent, now: number): Step {
  switch (event.type) {
    case 'started': {
      const { interrupted } = event;
      if (!interrupted) return next(state, now);
      // A stop rule that holds already is not passed by an experiment that was begun under another.
      const resumed = next({ ...state, next: interrupted.n }, now);
      const goesOn = resumed.effect.type === 'propose' || resumed.effect.type === 'take_baseline';
      if (!goesOn || !interrupted.hasAttempt) return resumed;
      return { ...resumed, effect: { type: 'train', n: interrupted.n } };
    }
    case 'wished':
      return next({ ...state, wish: event.wish }, now);
    case 'proposed':
      return { state, effect: { type: 'attempt', n: event.n } };
    case 'submitted':
      return { state, effect: { type: 'review', n: event.n, repair: event.repair } };
    case 'turned_down': {
      const { repair, n } = event;
      if (!repair) return next(state, now);
      // Sent back it is still the same try at a mend.
      if (event.how === 'sent_back' && state.wish === 'go') {
        return { state, effect: { type: 'propose', n, repair } };
      }
      return judge(state, repair, false, now);
    }
    case 'refused': {
      const refusals = state.refusals + 1;
      if (refusals >= state.maxRefusals) {
        const detail = `${refusals} proposals in a row were refused or failed; the last one: ${event.message}`;
        return { state, effect: { type: 'stop', reason: 'proposer', detail } };
      }
      return next({ ...state, refusals }, now);
    }
    case 'exhausted':
      return { state, effect: { type: 'stop', reason: 'exhausted', detail: event.message } };
    case 'blocked':
      return next({ ...state, wish: state.wish === 'stop' ? 'stop' : 'pause' }, now);
    case 'spent':
      return { state, effect: { type: 'stop', reason: 'spend', detail: event.message } };
    case 'attempted':
      return { state: { ...state, refusals: 0 }, effect: { type: 'train', n: event.n } };
    case 'measured':
      return judge(state, event, state.canRepair, now);
    case 'awaiting': {
      const { n } = event;
      return event.unfair.length > 0 && mayRerun(state, now)
        ? rerun(state, n)
        : { state, effect: { type: 'await_number', n } };
    }
    case 'disturbed': {
      // Also the baseline's: the study ends before it has one.
      const stop = state.wish === 'go' ? findStop(state.limits, state.facts, state.metric.goal, now) : null;
      return stop ? { state, effect: { type: 'stop', ...stop } } : next(state, now);
    }
    case 'numbered':
      // A number that took a week is not waited for again.
      return conclude(state, event);
    case 'repair_failed':
      return judge(state, event, false, now);
    case 'recorded':
      return next(settle(state, event.n, event.verdict), now);
    default:
      return unreachable(event);
  }
}

function judge(state: LoopState, measured: Measured, canRepair: boolean, now: number): Step {
  const { n, crash, unfair } = measured;
  // Memory that somebody else held says nothing of the code.
  const isOurs = crash && !(crash.class === 'out_of_memory' && unfair.includes('shared'));
  if (!isOurs && unfair.length > 0 && mayRerun(state, now)) return rerun(state, n);
  if (
    crash &&
    n > 0 &&
    canRepair &&
    state.wish === 'go' &&
    state.repairs < MAX_REPAIRS &&
    REPAIRABLE.includes(crash.class)
  ) {
    return {
      state: { ...state, repairs: state.repairs + 1 },
      effect: { type: 'propose', n, repair: measured },
    };
  }
  return conclude(state, measured);
}

function mayRerun({ limits, reruns, wish }: LoopState, now: number): boolean {
  const { deadline = Number.POSITIVE_INFINITY } = limits;
  // A pause comes after this experiment, to which the further run belongs.
  return reruns < MAX_RERUNS && wish !== 'stop' && now < deadline;
}

function rerun(state: LoopState, n: number): Step {
  return { state: { ...state, reruns: state.reruns + 1 }, effect: { type: 'train', n } };
}

function conclude(state: LoopState, measured: Measured): Step {
  const { n, crash, unfair } = measured;
  const verdict = decide({
    metric: state.metric,
    run: measured.k,
    crash,
    value: measured.value,
    memory: measured.memory,
    incumbent: state.incumbent && { experiment: state.incumbent.n, value: state.incumbent.metric },
    sourceLinesDelta: measured.sourceLinesDelta,
    ...{ unfair, pruned: measured.pruned, guard: measured.guard, source: measured.source },
  });
  return { state, effect: { type: 'record', n, verdict } };
}

function settle(state: LoopState, n: number, verdict: Verdict): LoopState {
  const { facts } = state;
  const isKeep = verdict.word === 'keep';
  const metric = verdict.evidence.metric;
  const isMeasuredKeep = isKeep && metric !== undefined;
  return {
    ...state,
    next: n + 1,
    refusals: 0,
    repairs: 0,
    reruns: 0,
    incumbent: isMeasuredKeep ? { n, metric } : state.incumbent,
    facts: {
      experiments: facts.experiments + (n === 0 ? 0 : 1),
      best: isMeasuredKeep ? metric : facts.best,
      sinceKeep: isKeep ? 0 : facts.sinceKeep + 1,
      crashesInRow: verdict.word === 'crash' ? facts.crashesInRow + 1 : 0,
    },
  };
}

/** Between two experiments: baseline first, then the user's wish, then the rules, then the next one. */
function next(state: LoopState, now: number): Step {
  const effect = (): Effect => {
    if (state.incumbent === null && state.next > 0) {
      return { type: 'stop', reason: 'baseline_failed', detail: null };
    }
    if (state.wish === 'stop') return { type: 'stop', reason: 'user', detail: null };
    if (state.wish === 'pause') return { type: 'wait' };
    if (state.incumbent === null) return { type: 'take_baseline' };
    const stop = findStop(state.limits, state.facts, state.metric.goal, now);
    if (stop) return { type: 'stop', ...stop };
    return { type: 'propose', n: state.next, repair: null };
  };
  return { state, effect: effect() };
}
