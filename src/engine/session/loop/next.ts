import type { StopReason } from '../../../shared/study.ts';
import type { Unfinished } from '../../stages/unfinished.ts';
import { HEADLINE_RUNS } from '../../statistics/audit.ts';
import { conclude } from './after-run.ts';
import {
  type Effect,
  type LoopState,
  referenceOf,
  type Step,
  type Stop,
  type StudyState,
} from './loop-state.ts';
import { findTakeBack, isProbing } from './probes.ts';
import { believeDone, type Due, findClosing, findDue, hasHeadline, incumbentOf } from './repeats.ts';
import { findStop } from './stop-rules.ts';

/** What comes between two experiments. A part of `step`, pure. */

export const STOPPED: Stop = { reason: 'user', detail: null };

/** Between two experiments: baseline first, then the user's wish, then the rules, then what is unfinished, then the next one. */
export function next(before: LoopState, now: number): Step {
  const state = takeBegun(before);
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
  // If a stop rule already holds, no experiment that began under another rule gets past it.
  const stop =
    incumbent &&
    (findEnd(state, now) ?? findStop(state.limits, factsWith(beside, state), state.metric.goal, now));
  if (stop) return close(state, stop, now);
  const believed = believeDone(repeats, beside.repeats);
  const { screensOn } = state;
  if (screensOn !== null && incumbent === null) return { state, effect: { type: 'rest' } };
  const due = unfinished === null && screensOn === null ? findDue(believed) : null;
  // The same commit is not trained twice at once.
  if (due && !isRepeated(due, beside)) return { state, effect: { type: 'repeat', ...due, before: null } };
  // Every experiment is compared with the baseline, whose noise must be known first.
  if (isWaitingForBaseline(state)) return { state, effect: { type: 'rest' } };
  const reference = findReference(state, incumbent);
  // Until that is measured, what is screened could not be compared with anything.
  if (reference && isRepeated(reference, beside)) return { state, effect: { type: 'rest' } };
  if (reference) return { state, effect: { type: 'repeat', ...reference, before: null } };
  if (unfinished?.at === 'verdict' && beside.isWriting) return { state, effect: { type: 'rest' } };
  // The other lanes count an experiment that this one has begun as done, so it goes on with it.
  const isFree = state.n === null && unfinished === null;
  if (screensOn !== null && isFree && beside.isBackedUp) return { state, effect: { type: 'rest' } };
  const begun = { ...state, unfinished: null };
  if (unfinished?.at === 'verdict') return conclude({ ...begun, n: unfinished.n }, unfinished.run, null, now);
  // The proposer has nothing to try until one of the others has its verdict.
  const isEmpty = state.emptyAt === repeats.runs && beside.experiments > 0;
  if (isEmpty && (unfinished === null || unfinished.at === 'proposal'))
    return { state, effect: { type: 'rest' } };
  const n = unfinished?.n ?? state.n ?? state.fresh;
  return { state: { ...begun, n, fresh: Math.max(state.fresh, n + 1) }, effect: begin(n, unfinished) };
}

function takeBegun(state: LoopState): LoopState {
  const [first, ...begun] = state.begun;
  if (!first || state.n !== null || state.unfinished !== null) return state;
  return { ...state, unfinished: first.unfinished, repairs: first.repairs, begun };
}

/** The incumbent, where a lane that screens has no number of it. */
function findReference(
  { screensOn, n: own, unfinished, references }: LoopState,
  incumbent: ReturnType<typeof incumbentOf>,
): Due | null {
  if (screensOn === null || own !== null || unfinished !== null || incumbent === null) return null;
  const n = incumbent.experiment;
  return references.has(referenceOf(n, screensOn)) ? null : { n, purpose: 'reference' };
}

function isRepeated({ n }: Due, { repeats }: LoopState['beside']): boolean {
  return repeats.some(other => other.n === n);
}

/** Effects that need all lanes to be idle. */
function alone(state: LoopState, effect: Effect): Step {
  return { state, effect: state.beside.isBusy ? { type: 'rest' } : effect };
}

function isWaitingForBaseline({ beside, repeats }: LoopState): boolean {
  return (
    beside.isBusy &&
    (incumbentOf(repeats) === null || beside.repeats.some(({ purpose }) => purpose === 'baseline'))
  );
}

/** Experiments in other lanes count as done, so that not too many are begun. */
function factsWith({ experiments }: LoopState['beside'], { facts }: LoopState): LoopState['facts'] {
  return experiments === 0 ? facts : { ...facts, experiments: facts.experiments + experiments };
}

/** Reasons for a regular end, before which the gain is measured again. */
const IN_ORDER: readonly StopReason[] = [
  ...(['experiments', 'target', 'patience', 'exhausted', 'deadline', 'audited'] as const),
];

/** Ends the study, after the runs that its claims still need. Nothing runs after a deadline. */
function close(state: LoopState, stop: Stop, now: number): Step {
  const { deadline = Number.POSITIVE_INFINITY } = state.limits;
  const isInTime = now + (state.runMs ?? 0) <= deadline;
  // An audit leaves waiting work as it is.
  const { beside, unfinished } = state;
  const isFree = (unfinished === null && !beside.hasUnfinished) || stop.reason === 'audited';
  const mayClose = IN_ORDER.includes(stop.reason) && isFree && isInTime && beside.experiments === 0;
  const closing = mayClose ? findClosing(believeDone(state.repeats, beside.repeats)) : null;
  if (!closing) return alone(state, { type: 'stop', ...stop });
  if (state.screensOn !== null || isRepeated(closing, beside)) return { state, effect: { type: 'rest' } };
  return { state: { ...state, ending: stop }, effect: { type: 'repeat', ...closing, before: null } };
}

/** An end before any rule holds: it was decided, or the headline needs the remaining time. */
function findEnd({ ending, limits, repeats, runMs, unfinished }: LoopState, now: number): Stop | null {
  if (ending) return ending;
  const { deadline } = limits;
  // Work that was begun continues first.
  if (unfinished !== null || deadline === undefined || runMs === null || !hasHeadline(repeats)) return null;
  // One more experiment, then the probes of the best and of the baseline, and the headline's runs.
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
 * Whether there will be a further proposal, as far as is known.
 * @param inFlight experiments under way, and proposals that are prepared
 */
export function willGoOn(
  { metric, limits, facts, wish }: StudyState,
  inFlight: number,
  now: number,
): boolean {
  if (wish !== 'go') return false;
  return findStop(limits, { ...facts, experiments: facts.experiments + inFlight }, metric.goal, now) === null;
}
