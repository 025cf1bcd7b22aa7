import { PawlError, unreachable } from '../../shared/errors.ts';
import { endRun } from '../stages/record/end-run.ts';
import type { StageContext } from '../stages/stage-context.ts';
import { tellUnfair } from '../stages/train/train.ts';
import type { PerformedEffect } from './lanes.ts';
import type { Effect, LoopEvent, SetAsideReason } from './loop-state.ts';

/** What happens to an effect that was stopped, or that another machine refused. */

/** A run measured before the stop is judged; nothing of it is lost. */
export function isResult({ type }: LoopEvent): boolean {
  const results = [
    'measured',
    'awaiting',
    'numbered',
    'recorded',
    'repeated',
    'repeat_recorded',
    'taken_back',
  ];
  return [...results, 'aborted', 'set_aside'].includes(type);
}

/** If another machine refuses to train, the study ends, but not what other lanes already have there. */
export function isRefusal(
  error: unknown,
  { type }: PerformedEffect,
  { remote }: StageContext,
): error is PawlError {
  const isTraining = type === 'train' || type === 'repeat';
  return remote !== null && isTraining && error instanceof PawlError && error.code === 'cannot_train';
}

export function aborted(effect: PerformedEffect): LoopEvent {
  // What waits for the user, or for its number, keeps waiting; a repeated commit has its verdict already.
  const waits = ['review', 'await_number', 'repeat', 'take_back'].includes(effect.type);
  const n = effect.type === 'take_baseline' ? 0 : waits || !('n' in effect) ? null : effect.n;
  return { type: 'aborted', n, ended: null };
}

/** A run that no machine had taken yet. */
export function putOff(effect: Effect, message: string): LoopEvent {
  const attempt = effect.type === 'train' ? { n: effect.n, commit: effect.commit } : null;
  return { type: 'put_off', attempt, message };
}

/** Leaves an experiment to be continued later: its runs have ended, and what was not yet proposed has not begun. */
export function setAside(
  context: StageContext,
  { n, ended, reason }: Extract<Effect, { type: 'set_aside' }>,
): LoopEvent {
  const { id } = context.study;
  endRun(context, ended, ledger => {
    ledger.runs.interruptOpen(context.now(), { studyId: id, n });
    ledger.experiments.setPhase(id, n, 'interrupted');
    ledger.experiments.dropUnproposed(id, n);
    const interrupted = { type: 'interrupted', n, message: describeSetAside(reason) } as const;
    if (reason.kind === 'screened' && ended) return [tellUnfair(n, ended), interrupted];
    if (reason.kind !== 'unanswered') return [interrupted];
    const message = `The model that the training asks did not answer. ${reason.message}`;
    return [interrupted, { type: 'warning', code: 'model_blocked', message }];
  });
  return { type: 'set_aside', reason };
}

function describeSetAside(reason: SetAsideReason): string {
  switch (reason.kind) {
    case 'stopped':
      return 'Stopped by the user; it will be run again on resume.';
    case 'unanswered':
      return `${reason.message} It will be run again.`;
    case 'put_off':
      return `Not started yet; it will be run when the study goes on. ${reason.message}`;
    case 'screened':
      return 'It may be a gain; it goes on where the baseline was trained.';
    case 'spent':
    case 'refused':
      return `${reason.message} It will be run again on resume.`;
    default:
      return unreachable(reason);
  }
}
