import { unreachable } from '../../shared/errors.ts';
import type { CrashClass, StopReason, Verdict } from '../../shared/study.ts';
import { decide } from '../stages/judge/decide.ts';
import type { CrashedRun, Measured } from '../stages/measure/measured.ts';
import type { Repair } from '../stages/propose/propose.ts';
import type { Repeated } from '../stages/repeat/repeat.ts';
import type { TrainResult } from '../stages/train/train.ts';
import type { EndedRun } from '../stages/train/train-attempt.ts';
import type { Unfinished } from '../stages/unfinished.ts';
import { HEADLINE_RUNS } from '../verdicts/audit.ts';
import { findCombination, findLate } from './late.ts';
import type { Effect, LoopEvent, LoopState, SetAsideReason, Step, Stop, StudyState } from './loop-state.ts';
import {
  faultOfSwap,
  findCandidateProbe,
  findNumberHints,
  findPass,
  findTakeBack,
  isProbing,
  judgeCandidate,
} from './probes.ts';
import {
  afterProbeRun,
  afterRepeat,
  afterVerdict,
  believeDone,
  type Due,
  findClosing,
  findDue,
  hasHeadline,
  incumbentOf,
  judgeAgain,
  simplifiedBound,
  takeBack,
  takeBackFrom,
  without,
} from './repeats.ts';
import { findStop } from './stop-rules.ts';
/**
 * The loop as a pure function: what happened goes in, what to do next comes out. The driver performs the effect
 * and comes back with what happened; what one stage made travels through here to the next. Nothing here reads a clock, a
 * file or the ledger.
 */

/** The proposer may repair a crash that looks like a mistake, this often per experiment. */
export const MAX_REPAIRS = 2;
const REPAIRABLE: readonly CrashClass[] = [
  ...(['exception', 'out_of_memory', 'no_metric', 'diverged', 'sealed_path', 'no_score'] as const),
];

/** An unfair run is repeated, this often per experiment. */
export const MAX_RERUNS = 2;

/** An experiment whose model did not answer is run again this often: for about an hour, including pauses. */
export const MAX_UNANSWERED = 4;

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
      // What ended early says nothing of how long one takes.
      const isWhole = !event.run.crash && !event.run.early;
      const timed = isWhole ? { ...state, runMs: event.ended.endedAt - event.ended.startedAt } : state;
      return setAsideUnanswered(timed, event) ?? judge(timed, event.run, event.ended, now);
    }
    case 'awaiting': {
      const setAside = setAsideUnanswered(state, event);
      if (setAside) return setAside;
      const { n, ended } = event;
      if (event.unfair.length > 0 && mayRerun(state, now)) return rerun(state, n, ended);
      return { state, effect: { type: 'await_number', n, ended, isResumed: false } };
    }
    case 'numbered':
      // A number that took a week is not waited for again.
      return conclude(state, event.run, null, now);
    case 'repair_failed':
      return conclude(state, event.run, null, now);
    case 'disturbed': {
      const left = { ...state, unfinished: event.unfinished };
      // Also the baseline's: the study ends before it has one.
      const stop = state.wish === 'go' ? findStop(state.limits, state.facts, state.metric.goal, now) : null;
      return next(stop ? { ...left, halted: stop } : left, now);
    }
    case 'aborted': {
      const { n, ended } = event;
      // What was measured is judged without the probe; that is made up for when the study goes on.
      if (state.held) return conclude(state, state.held, null, now);
      if (n === null) return next({ ...state, halted: STOPPED }, now);
      return { state, effect: { type: 'set_aside', n, ended, reason: { kind: 'stopped' } } };
    }
    case 'set_aside': {
      const { reason } = event;
      if (reason.kind === 'stopped') return next({ ...state, halted: STOPPED }, now);
      if (reason.kind === 'unanswered') return next(block(state), now);
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
      // A target that was reached by what is gone is not reached.
      const ending = state.ending && STANDING.includes(state.ending.reason) ? state.ending : null;
      const after = { ...state, repeats, facts, ending };
      return next(isClosed ? { ...after, unfinished: null, n: null } : after, now);
    }
    default:
      return unreachable(event);
  }
}

/** Reasons to end that hold whatever becomes of the best. */
const STANDING: readonly StopReason[] = ['audited', 'deadline', 'exhausted', 'spend'];

const STOPPED: Stop = { reason: 'user', detail: null };

/** Pauses until somebody has helped; what the user wishes goes before. */
function block(state: LoopState): LoopState {
  return state.wish === 'go' ? { ...state, wish: 'pause', isBlocked: true } : state;
}

/**
 * A run that was left without an answer says nothing of its code: it is run again, on resume where the cap is reached, and
 * after a pause where the server did not answer. Null where it is judged: it was answered, or the server failed so often in this
 * experiment that what it asks is the more likely cause.
 */
function setAsideUnanswered(
  state: LoopState,
  { denial, ended }: Extract<TrainResult, { type: 'measured' | 'awaiting' }>,
): Step | null {
  if (!denial) return null;
  const { kind, message } = denial;
  const unanswered = state.unanswered + (kind === 'failed' ? 1 : 0);
  if (unanswered > MAX_UNANSWERED) return null;
  const { n, commit } = ended;
  const reason: SetAsideReason = { kind: kind === 'spent' ? 'spent' : 'unanswered', message };
  return {
    state: { ...state, unanswered, unfinished: { n, at: 'attempt', commit } },
    effect: { type: 'set_aside', n, ended, reason },
  };
}

function judge(state: LoopState, run: Measured, ended: EndedRun, now: number): Step {
  const { crash, unfair } = run;
  // Memory that somebody else held says nothing of the code.
  const isOurs = crash && !(crash.class === 'out_of_memory' && unfair.includes('shared'));
  if (!isOurs && unfair.length > 0 && mayRerun(state, now)) return rerun(state, run.n, ended);
  const mayMend = state.canRepair && run.n > 0 && state.wish === 'go' && state.repairs < MAX_REPAIRS;
  if (crash && mayMend && REPAIRABLE.includes(crash.class)) {
    return mend({ ...state, repairs: state.repairs + 1 }, { ...run, crash }, ended);
  }
  return conclude(state, run, ended, now);
}

function mend(state: LoopState, run: CrashedRun, ended: EndedRun | null): Step {
  const repair: Repair = { run, ended, count: state.repairs };
  return { state, effect: { type: 'propose', n: run.n, repair } };
}

function mayRerun({ limits, reruns, wish }: LoopState, now: number): boolean {
  const { deadline = Number.POSITIVE_INFINITY } = limits;
  // A pause comes after this experiment, to which the further run belongs.
  return reruns < MAX_RERUNS && wish !== 'stop' && now < deadline;
}

function rerun(state: LoopState, n: number, unfair: EndedRun): Step {
  const effect: Effect = { type: 'train', n, commit: unfair.commit, unfair, isResumed: false };
  return { state: { ...state, reruns: state.reruns + 1 }, effect };
}

/**
 * Gives the verdict. Where there is a reason to look closer, what would be a keep waits for its probes.
 * @param ended a run whose end is not written yet
 */
function conclude(state: LoopState, run: Measured, ended: EndedRun | null, now: number): Step {
  const { repeats, metric, wish } = state;
  const { n, k, value, ...found } = run;
  const isNumber = value !== null && !run.crash && !run.early && !run.guard;
  const candidate = isNumber ? { n, value } : null;
  const hints = candidate ? [...findNumberHints(repeats, candidate), ...run.hints] : [];
  const late = findLate(repeats, run);
  const verdict = decide({
    ...{ ...found, value, hints, metric, run: k, incumbent: incumbentOf(repeats), late },
    simplifiedBound: simplifiedBound(repeats),
    probe: candidate && judgeCandidate(repeats, candidate),
  });
  const { deadline = Number.POSITIVE_INFINITY } = state.limits;
  // Nothing runs after the deadline; it is made up for when the study goes on.
  const isInTime = wish !== 'stop' && now + (state.runMs ?? 0) <= deadline;
  const isSuspect = candidate && verdict.word === 'keep' && hints.length > 0 && isInTime;
  const probe = isSuspect ? findCandidateProbe(repeats, candidate) : null;
  if (probe !== null) {
    const effect: Effect = { type: 'repeat', n: probe, purpose: 'probe', before: ended };
    return { state: { ...state, held: run, reruns: state.held ? state.reruns : 0 }, effect };
  }
  const combination = findCombination(repeats, run, verdict);
  return { state: { ...state, held: null }, effect: { type: 'record', n, verdict, ended, combination } };
}

/** What follows from a further run of a commit that has its verdict. One that was not fair is run again. */
function judgeRepeat(state: LoopState, event: Repeated, now: number): Step {
  const { n, purpose, ended, denial, unfair } = event;
  const unanswered = state.unanswered + (denial?.kind === 'failed' ? 1 : 0);
  const isAgain = denial ? unanswered <= MAX_UNANSWERED : unfair.length > 0 && mayRerun(state, now);
  const value = denial || unfair.length > 0 ? null : event.value;
  const due = { n, purpose };
  const measured =
    purpose === 'probe'
      ? afterProbeRun(state.repeats, n, isAgain ? null : { value, isOwnFailure: event.isOwnFailure })
      : afterRepeat(state.repeats, due, value, !isAgain);
  // Where another has taken its place meanwhile, the branch does not stand on it any more.
  const isIncumbent = incumbentOf(state.repeats)?.experiment === n;
  const rolledBack = value === null || !isIncumbent ? null : judgeAgain(measured, due);
  const repeats = rolledBack ? takeBack(measured, n) : measured;
  const after: LoopState = {
    ...state,
    repeats,
    unanswered: isAgain ? unanswered : 0,
    reruns: isAgain && !denial ? state.reruns + 1 : 0,
    facts: { ...state.facts, best: incumbentOf(repeats)?.value ?? null },
    ending: denial?.kind === 'spent' ? { reason: 'spend', detail: denial.message } : state.ending,
  };
  return {
    state: denial?.kind === 'failed' ? block(after) : after,
    effect: {
      ...{ type: 'record_repeat', n, purpose, value, ended, rolledBack, isDenied: denial !== null },
      passed: purpose === 'probe' ? findPass(measured, n) : null,
      swapFault: purpose === 'probe' && n === 0 ? faultOfSwap(measured) : null,
    },
  };
}

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

/** Between two experiments: baseline first, then the user's wish, then the rules, then what is unfinished, then the next one. */
function next(state: LoopState, now: number): Step {
  const { unfinished, repeats, wish, beside, halted } = state;
  const incumbent = incumbentOf(repeats);
  const hasBegun = (state.n ?? state.fresh) > 0;
  if (halted) return alone(state, { type: 'stop', ...halted });
  if (incumbent === null && hasBegun && unfinished === null) {
    return alone(state, { type: 'stop', reason: 'baseline_failed', detail: null });
  }
  if (wish === 'stop') return alone(state, { type: 'stop', ...STOPPED });
  if (wish === 'pause') return alone(state, { type: 'wait' });
  const back = findTakeBack(repeats);
  if (back) return alone(state, { type: 'take_back', back });
  // A stop rule that holds already is not passed by an experiment that was begun under another.
  const stop =
    incumbent &&
    (findEnd(state, now) ?? findStop(state.limits, factsWith(beside, state), state.metric.goal, now));
  if (stop) return close(state, stop, now);
  const believed = believeDone(repeats, beside.repeats);
  const due = unfinished === null ? findDue(believed) : null;
  // The same commit is not trained twice at once.
  if (due && !isRepeated(due, beside)) return { state, effect: { type: 'repeat', ...due, before: null } };
  // Every experiment is compared with the baseline, whose noise is to be known first.
  if (isWaitingForBaseline(state)) return { state, effect: { type: 'rest' } };
  if (unfinished?.at === 'verdict' && beside.isWriting) return { state, effect: { type: 'rest' } };
  const begun = { ...state, unfinished: null };
  if (unfinished?.at === 'verdict') return conclude({ ...begun, n: unfinished.n }, unfinished.run, null, now);
  // Nobody has anything to try before one of the others has its verdict.
  const isEmpty = state.emptyAt === repeats.runs && beside.experiments > 0;
  if (isEmpty && (unfinished === null || unfinished.at === 'proposal'))
    return { state, effect: { type: 'rest' } };
  const n = unfinished?.n ?? state.n ?? state.fresh;
  return { state: { ...begun, n, fresh: Math.max(state.fresh, n + 1) }, effect: begin(n, unfinished) };
}

function isRepeated({ n }: Due, { repeats }: LoopState['beside']): boolean {
  return repeats.some(other => other.n === n);
}

/** Another lane may have something to try under the number that this one has begun. */
function giveNumberBack(state: LoopState): LoopState {
  const isNewest = state.n !== null && state.n === state.fresh - 1;
  return isNewest ? { ...state, n: null, fresh: state.fresh - 1 } : state;
}

/** What is done only while no lane does anything. */
function alone(state: LoopState, effect: Effect): Step {
  return { state, effect: state.beside.isBusy ? { type: 'rest' } : effect };
}

function isWaitingForBaseline({ beside, repeats }: LoopState): boolean {
  return (
    beside.isBusy &&
    (incumbentOf(repeats) === null || beside.repeats.some(({ purpose }) => purpose === 'baseline'))
  );
}

/** Experiments that other lanes are at count as done, so that not more are begun than are wanted. */
function factsWith({ experiments }: LoopState['beside'], { facts }: LoopState): LoopState['facts'] {
  return experiments === 0 ? facts : { ...facts, experiments: facts.experiments + experiments };
}

/** Reasons for which a study ends in order: what its gain is worth is measured before. */
const IN_ORDER: readonly StopReason[] = [
  ...(['experiments', 'target', 'patience', 'exhausted', 'deadline', 'audited'] as const),
];

/** Ends the study, after the runs that its claims still need. Nothing runs after a deadline. */
function close(state: LoopState, stop: Stop, now: number): Step {
  const { deadline = Number.POSITIVE_INFINITY } = state.limits;
  const isInTime = now + (state.runMs ?? 0) <= deadline;
  // An audit leaves what waits as it is.
  const { beside, unfinished } = state;
  const isFree = (unfinished === null && !beside.hasUnfinished) || stop.reason === 'audited';
  const mayClose = IN_ORDER.includes(stop.reason) && isFree && isInTime && beside.experiments === 0;
  const closing = mayClose ? findClosing(believeDone(state.repeats, beside.repeats)) : null;
  if (!closing) return alone(state, { type: 'stop', ...stop });
  if (isRepeated(closing, beside)) return { state, effect: { type: 'rest' } };
  return { state: { ...state, ending: stop }, effect: { type: 'repeat', ...closing, before: null } };
}

/** What ends the study although no rule holds yet: it was decided, or the time left is what the headline takes. */
function findEnd({ ending, limits, repeats, runMs, unfinished }: LoopState, now: number): Stop | null {
  if (ending) return ending;
  const { deadline } = limits;
  // What was begun goes on first.
  if (unfinished !== null || deadline === undefined || runMs === null || !hasHeadline(repeats)) return null;
  // One more experiment, and then the probes of the best and of the baseline, and the headline's runs.
  const probes = isProbing(repeats) ? 2 : 0;
  if (now + (1 + probes + HEADLINE_RUNS) * runMs <= deadline) return null;
  const detail = `The time left before the deadline ${new Date(deadline).toISOString()} is reserved for measuring the gain.`;
  return { reason: 'deadline', detail };
}

function begin(number: number, unfinished: Exclude<Unfinished, { at: 'verdict' }> | null): Effect {
  if (unfinished === null || unfinished.at === 'proposal') {
    return number === 0 ? { type: 'take_baseline' } : { type: 'propose', n: number, repair: null };
  }
  const { n } = unfinished;
  if (unfinished.at === 'review') return { type: 'review', n, repair: unfinished.repair };
  if (unfinished.at === 'number')
    return { type: 'await_number', n, ended: null, isResumed: unfinished.isResumed };
  return { type: 'train', n, commit: unfinished.commit, unfair: null, isResumed: true };
}

/**
 * Whether there will be a further proposal, as far as known before `n` is measured.
 * @param inFlight experiments under way, `n` counted, and proposals that are prepared
 */
export function willGoOn(
  { metric, limits, facts, wish }: StudyState,
  n: number,
  inFlight: number,
  now: number,
): boolean {
  if (n === 0 || wish !== 'go') return false;
  return findStop(limits, { ...facts, experiments: facts.experiments + inFlight }, metric.goal, now) === null;
}
