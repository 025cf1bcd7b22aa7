import type { CrashClass } from '../../../shared/study.ts';
import { decide } from '../../stages/judge/decide.ts';
import { screenOut } from '../../stages/judge/screening.ts';
import type { CrashedRun, Measured } from '../../stages/measure/measured.ts';
import type { Repair } from '../../stages/propose/propose.ts';
import type { Repeated } from '../../stages/repeat/repeat.ts';
import type { EndedRun } from '../../stages/train/ended-run.ts';
import type { TrainResult } from '../../stages/train/train.ts';
import { findCombination, findLate } from './late.ts';
import { type Effect, type LoopState, referenceOf, type SetAsideReason, type Step } from './loop-state.ts';
import { faultOfSwap, findCandidateProbe, findNumberHints, findPass, judgeCandidate } from './probes.ts';
import { afterProbeRun, afterRepeat, incumbentOf, judgeAgain, simplifiedBound, takeBack } from './repeats.ts';

/** What follows from a run: a verdict, another run, a repair. A part of `step`, pure. */

/** The proposer may repair a crash that looks like a mistake, this often per experiment. */
export const MAX_REPAIRS = 2;
const REPAIRABLE: readonly CrashClass[] = [
  ...(['exception', 'out_of_memory', 'no_metric', 'diverged', 'sealed_path', 'no_score'] as const),
];

/** An unfair run is repeated, this often per experiment. */
export const MAX_RERUNS = 2;

/** An experiment whose model did not answer is run again this often: for about an hour, including pauses. */
export const MAX_UNANSWERED = 4;

/** Pauses until somebody has helped; the user's wishes come first. */
export function block(state: LoopState): LoopState {
  return state.wish === 'go' ? { ...state, wish: 'pause', isBlocked: true } : state;
}

/**
 * A run left without an answer says nothing about its code: it is run again, on resume if the cap is reached, or
 * after a pause if the server did not answer. Null if it is judged: it was answered, or the server failed so often in
 * this experiment that its requests are the more likely cause.
 */
export function setAsideUnanswered(
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

export function judge(state: LoopState, run: Measured, ended: EndedRun, now: number): Step {
  const { crash, unfair } = run;
  // Memory that another program used, or that another GPU has not, says nothing about the code.
  const isForeign = unfair.includes('shared') || unfair.includes('other_hardware');
  const isOurs = crash && !(crash.class === 'out_of_memory' && isForeign);
  const mayDecide = unfair.length === 0 || screenOut(run, state.metric) !== null;
  const again = isOurs || mayDecide ? null : trainAgain(state, run.n, ended, now);
  if (again) return again;
  const mayMend = state.canRepair && run.n > 0 && state.wish === 'go' && state.repairs < MAX_REPAIRS;
  if (crash && mayMend && REPAIRABLE.includes(crash.class)) {
    return mend({ ...state, repairs: state.repairs + 1 }, { ...run, crash }, ended);
  }
  return conclude(state, run, ended, now);
}

/**
 * Notes that a lane that screens has trained the experiment. It does not try again if there was no number: then what is
 * screened is compared with an older experiment.
 */
function withReference(state: LoopState, n: number): LoopState {
  const { references, screensOn } = state;
  if (screensOn === null) return state;
  return { ...state, references: new Set([...references, referenceOf(n, screensOn)]) };
}

export function mend(state: LoopState, run: CrashedRun, ended: EndedRun | null): Step {
  const repair: Repair = { run, ended, count: state.repairs };
  return { state, effect: { type: 'propose', n: run.n, repair } };
}

function mayRerun({ limits, reruns, wish }: LoopState, now: number): boolean {
  const { deadline = Number.POSITIVE_INFINITY } = limits;
  // A pause comes after this experiment, and the repeated run belongs to it.
  return reruns < MAX_RERUNS && wish !== 'stop' && now < deadline;
}

/** What follows from a run that must not decide; null if it has to all the same. */
export function trainAgain(state: LoopState, n: number, unfair: EndedRun, now: number): Step | null {
  if (state.screensOn !== null) {
    return {
      state: {
        ...withReference(state, n),
        unfinished: { n, at: 'attempt', commit: unfair.commit },
      },
      effect: { type: 'set_aside', n, ended: unfair, reason: { kind: 'screened' } },
    };
  }
  if (!mayRerun(state, now)) return null;
  const effect: Effect = { type: 'train', n, commit: unfair.commit, unfair, isResumed: false };
  return { state: { ...state, reruns: state.reruns + 1 }, effect };
}

/**
 * Gives the verdict. If there is a reason to look closer, a would-be keep waits for its probes.
 * @param ended a run whose end is not written yet
 * @param mayProbe false where a probe cannot be made now
 */
export function conclude(
  state: LoopState,
  measured: Measured,
  ended: EndedRun | null,
  now: number,
  mayProbe = true,
): Step {
  // It does not compare with any other number of the study.
  const run = measured.unfair.includes('other_hardware') ? { ...measured, value: null } : measured;
  const { repeats, metric, wish } = state;
  const { n, k, value, ...found } = run;
  const isNumber = value !== null && !run.crash && !run.early && !run.guard;
  const candidate = isNumber ? { n, value } : null;
  const hints = candidate ? [...findNumberHints(repeats, candidate), ...run.hints] : [];
  const late = findLate(repeats, run);
  const verdict = decide({
    ...{ ...found, value, hints, metric, run: k, incumbent: incumbentOf(repeats), late },
    simplifiedBound: simplifiedBound(repeats),
    screenedOut: screenOut(measured, metric),
    probe: candidate && judgeCandidate(repeats, candidate),
  });
  const { deadline = Number.POSITIVE_INFINITY } = state.limits;
  // Nothing runs after the deadline; it is made up for when the study goes on.
  const isInTime = mayProbe && wish !== 'stop' && now + (state.runMs ?? 0) <= deadline;
  const isSuspect = candidate && verdict.word === 'keep' && hints.length > 0 && isInTime;
  const probe = isSuspect ? findCandidateProbe(repeats, candidate) : null;
  if (probe !== null) {
    const effect: Effect = { type: 'repeat', n: probe, purpose: 'probe', before: ended };
    return { state: { ...state, held: run, reruns: state.held ? state.reruns : 0 }, effect };
  }
  const combination = findCombination(repeats, run, verdict);
  return { state: { ...state, held: null }, effect: { type: 'record', n, verdict, ended, combination } };
}

/** What follows from a further run of a commit that has its verdict. An unfair one is repeated. */
export function judgeRepeat(state: LoopState, event: Repeated, now: number): Step {
  const { n, purpose, ended, denial } = event;
  const isReference = purpose === 'reference';
  // That is why it was trained there.
  const unfair = isReference ? event.unfair.filter(kind => kind !== 'other_hardware') : event.unfair;
  const unanswered = state.unanswered + (denial?.kind === 'failed' ? 1 : 0);
  const isAgain = denial ? unanswered <= MAX_UNANSWERED : unfair.length > 0 && mayRerun(state, now);
  const value = denial || unfair.length > 0 ? null : event.value;
  const due = { n, purpose };
  const measured =
    purpose === 'probe'
      ? afterProbeRun(state.repeats, n, isAgain ? null : { value, isOwnFailure: event.isOwnFailure })
      : afterRepeat(state.repeats, due, value, !isAgain);
  // If another has become the incumbent meanwhile, the branch is no longer at this one.
  const isIncumbent = incumbentOf(state.repeats)?.experiment === n;
  const rolledBack = value === null || !isIncumbent ? null : judgeAgain(measured, due);
  const repeats = rolledBack ? takeBack(measured, n) : measured;
  const after: LoopState = {
    ...(isReference && !isAgain ? withReference(state, n) : state),
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
