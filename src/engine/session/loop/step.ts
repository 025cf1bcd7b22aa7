import { unreachable } from '../../../shared/errors.ts';
import type { StopReason, Verdict } from '../../../shared/study.ts';
import { block, conclude, judge, judgeRepeat, mend, setAsideUnanswered, trainAgain } from './after-run.ts';
import type { Effect, LoopEvent, LoopState, Step } from './loop-state.ts';
import { next, STOPPED } from './next.ts';
import { afterVerdict, incumbentOf, takeBackFrom, without } from './repeats.ts';
import { findStop } from './stop-rules.ts';

/**
 * The loop as a pure function: an event goes in, the next effect comes out. The driver performs the effect and
 * returns with the next event; results of one stage travel through here to the next. Nothing here reads a clock, a
 * file or the ledger.
 */

/**
 * @param now milliseconds since the epoch, for the deadline
 */
export function step(state: LoopState, event: LoopEvent, now: number): Step {
  switch (event.type) {
    case 'started':
    case 'looked':
      return next(state, now);
    case 'wished':
      return next({ ...state, wish: event.wish }, now);
    case 'proposed':
      return { state, effect: { type: 'attempt', n: event.n, edit: event.edit } };
    case 'submitted':
      return { state, effect: { type: 'review', n: event.n, repair: event.repair } };
    case 'turned_down': {
      const { repair } = event;
      if (!repair) return next(state, now);
      // When sent back, it is still the same repair attempt.
      if (event.how === 'sent_back' && state.wish === 'go') return mend(state, repair, null);
      return conclude(state, repair, null, now);
    }
    case 'refused': {
      const refusals = state.refusals + 1;
      if (refusals >= state.maxRefusals) {
        const detail = `${refusals} proposals in a row were refused or failed; the last one: ${event.message}`;
        return next({ ...state, halted: { reason: 'proposer', detail } }, now);
      }
      return next({ ...state, refusals }, now);
    }
    case 'exhausted':
      return state.beside.experiments > 0
        ? next({ ...giveNumberBack(state), emptyAt: state.repeats.runs }, now)
        : next({ ...state, ending: { reason: 'exhausted', detail: event.message } }, now);
    case 'blocked':
      return next(block(state), now);
    case 'spent':
      return next({ ...state, halted: { reason: 'spend', detail: event.message } }, now);
    case 'attempted': {
      const { n, commit } = event;
      const effect: Effect = { type: 'train', n, commit, unfair: null, isResumed: false };
      return { state: { ...state, refusals: 0 }, effect };
    }
    case 'measured': {
      // A run that ended early does not show how long one takes.
      const isWhole = !event.run.crash && !event.run.early;
      const timed = isWhole ? { ...state, runMs: event.ended.endedAt - event.ended.startedAt } : state;
      return setAsideUnanswered(timed, event) ?? judge(timed, event.run, event.ended, now);
    }
    case 'awaiting': {
      const setAside = setAsideUnanswered(state, event);
      if (setAside) return setAside;
      const { n, ended } = event;
      const again = event.unfair.length > 0 ? trainAgain(state, n, ended, now) : null;
      return again ?? { state, effect: { type: 'await_number', n, ended, isResumed: false } };
    }
    case 'numbered':
      // A number that took a week is not waited for again.
      return conclude(state, event.run, null, now);
    case 'repair_failed':
      return conclude(state, event.run, null, now);
    case 'disturbed':
      return next(haltIfDue({ ...state, unfinished: event.unfinished }, now), now);
    case 'aborted': {
      const { n, ended } = event;
      // The measured result is judged without the probe, which is done when the study continues.
      if (state.held) return conclude(state, state.held, null, now);
      if (n === null) return next({ ...state, halted: STOPPED }, now);
      return { state, effect: { type: 'set_aside', n, ended, reason: { kind: 'stopped' } } };
    }
    case 'not_trained': {
      const { n, message } = event;
      const left: LoopState = { ...state, halted: { reason: 'error', detail: message } };
      if (left.held) return conclude(left, left.held, null, now, false);
      if (n === null) return next(left, now);
      return {
        state: left,
        effect: { type: 'set_aside', n, ended: null, reason: { kind: 'refused', message } },
      };
    }
    case 'put_off': {
      const { attempt, message } = event;
      if (state.held) return conclude(state, state.held, null, now, false);
      if (attempt === null) return next(state, now);
      const { n } = attempt;
      return {
        state: { ...state, unfinished: { ...attempt, at: 'attempt' } },
        effect: { type: 'set_aside', n, ended: null, reason: { kind: 'put_off', message } },
      };
    }
    case 'set_aside': {
      const { reason } = event;
      if (reason.kind === 'stopped') return next({ ...state, halted: STOPPED }, now);
      if (reason.kind === 'unanswered') return next(block(state), now);
      if (reason.kind === 'refused' || reason.kind === 'screened') return next(state, now);
      // A study without a baseline asks no stop rule before the next experiment.
      if (reason.kind === 'put_off')
        return next(incumbentOf(state.repeats) ? state : haltIfDue(state, now), now);
      return next({ ...state, halted: { reason: 'spend', detail: reason.message } }, now);
    }
    case 'recorded':
      return next(settle(state, event.n, event.verdict), now);
    case 'repeated':
      return judgeRepeat(state, event, now);
    case 'repeat_recorded':
      return state.held ? conclude(state, state.held, null, now) : next(state, now);
    case 'not_probed': {
      const repeats = without(state.repeats, event.purpose);
      const left = { ...state, repeats };
      return left.held ? conclude(left, left.held, null, now) : next(left, now);
    }
    case 'taken_back': {
      const repeats = takeBackFrom(state.repeats, event.back);
      const isClosed = state.unfinished !== null && event.closed.includes(state.unfinished.n);
      const { experiments } = state.facts;
      const facts = {
        ...{ ...state.facts, best: incumbentOf(repeats)?.value ?? null },
        experiments: experiments + event.closed.length,
      };
      // A target that was reached by a result taken back is no longer reached.
      const ending = state.ending && STANDING.includes(state.ending.reason) ? state.ending : null;
      const after = { ...state, repeats, facts, ending };
      return next(isClosed ? { ...after, unfinished: null, n: null } : after, now);
    }
    default:
      return unreachable(event);
  }
}

/** Ends the study where a stop rule holds, also before it has a baseline. */
function haltIfDue(state: LoopState, now: number): LoopState {
  const { wish, limits, facts, metric } = state;
  const stop = wish === 'go' ? findStop(limits, facts, metric.goal, now) : null;
  return stop ? { ...state, halted: stop } : state;
}

/** Reasons to end that hold whatever becomes of the best. */
const STANDING: readonly StopReason[] = ['audited', 'deadline', 'exhausted', 'spend'];

function settle(state: LoopState, n: number, verdict: Verdict): LoopState {
  const { facts } = state;
  const isKeep = verdict.word === 'keep';
  const metric = verdict.evidence.metric;
  const isMeasuredKeep = isKeep && metric !== undefined;
  return {
    ...state,
    ...{ n: null, fresh: Math.max(state.fresh, n + 1), refusals: 0, repairs: 0, reruns: 0, unanswered: 0 },
    repeats: afterVerdict(state.repeats, n, verdict),
    facts: {
      experiments: facts.experiments + (n === 0 ? 0 : 1),
      best: isMeasuredKeep ? metric : facts.best,
      sinceKeep: isKeep ? 0 : facts.sinceKeep + 1,
      crashesInRow: verdict.word === 'crash' ? facts.crashesInRow + 1 : 0,
    },
  };
}

/** Another lane may have something to try under the number that this one has begun. */
function giveNumberBack(state: LoopState): LoopState {
  const isNewest = state.n !== null && state.n === state.fresh - 1;
  return isNewest ? { ...state, n: null, fresh: state.fresh - 1 } : state;
}
