import { PawlError, unreachable } from '../../shared/errors.ts';
import type { Proposal } from '../../shared/study.ts';
import type { CrashedRun } from '../stages/measure/measured.ts';
import { refuse } from '../stages/propose/refuse.ts';
import { endRun } from '../stages/record/end-run.ts';
import type { StageContext } from '../stages/stage-context.ts';
import { hasPassed } from '../stages/train/full-disk.ts';
import { unfairFlags } from '../stages/train/train.ts';
import { toPawlError } from './engine-errors.ts';
import type { PerformedEffect } from './loop/lanes.ts';
import type { Effect, LoopEvent, SetAsideReason } from './loop/loop-state.ts';

/** What happens to an effect that was stopped, that another machine refused, or that met a full disk. */

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

const DISK_WAS_FULL = 'The disk was full for a while.';

/**
 * Waits for room if a run beside this one may have filled the disk. Then a run is made later, and a proposal that is not
 * committed yet is asked for anew. Null if there is no room, for any other error, and for an effect that cannot be done
 * a second time.
 * @param before experiments that went on in this way, which each does once
 */
export async function afterFullDisk(
  error: unknown,
  effect: PerformedEffect,
  context: StageContext,
  before: Set<number>,
): Promise<LoopEvent | null> {
  const isFull = toPawlError(error, context.paths.home).code === 'disk_full';
  if (!isFull || !('n' in effect) || before.has(effect.n)) return null;
  before.add(effect.n);
  return (await hasPassed(effect.n, context)) ? goOn(effect, context) : null;
}

function goOn(effect: PerformedEffect, context: StageContext): LoopEvent | null {
  const { ledger, study } = context;
  switch (effect.type) {
    case 'train':
    case 'repeat':
      return putOff(effect, DISK_WAS_FULL);
    case 'propose':
      return loseProposal(context, effect.n, effect.repair?.run ?? null, null);
    case 'attempt': {
      const { phase, attemptCommit } = ledger.experiments.get(study.id, effect.n) ?? {};
      if (phase === 'attempted' && attemptCommit)
        return { type: 'put_off', attempt: { n: effect.n, commit: attemptCommit }, message: DISK_WAS_FULL };
      return loseProposal(context, effect.n, effect.edit.repairOf, effect.edit.proposal);
    }
    default:
      return null;
  }
}

function loseProposal(
  context: StageContext,
  n: number,
  repairOf: CrashedRun | null,
  proposal: Proposal | null,
): LoopEvent {
  const { hypothesis = null, memo = null } = proposal ?? {};
  refuse(context, { n, reason: 'proposer_failed', message: DISK_WAS_FULL, hypothesis, memo });
  return repairOf ? { type: 'repair_failed', run: repairOf } : { type: 'refused', message: DISK_WAS_FULL };
}

/** Leaves an experiment to be continued later: its runs have ended, and what was not yet proposed has not begun. */
export function setAside(
  context: StageContext,
  { n, ended, reason }: Extract<Effect, { type: 'set_aside' }>,
): LoopEvent {
  const { id } = context.study;
  endRun(context, ended, ledger => {
    ledger.runs.interruptOpen(context.now(), { studyId: id, n });
    if (reason.kind === 'screened') {
      ledger.experiments.setPhase(id, n, 'attempted');
      return ended ? [{ type: 'handed_over', n, k: ended.k, flags: unfairFlags(ended) }] : [];
    }
    const left = { type: reason.kind === 'stopped' ? 'interrupted' : 'put_off', n } as const;
    const why = describeSetAside(reason);
    ledger.experiments.leave(id, n, left.type, why);
    ledger.experiments.dropUnproposed(id, n);
    const told = { ...left, message: why };
    if (reason.kind !== 'unanswered') return [told];
    const message = `The model that the training asks did not answer. ${reason.message}`;
    return [told, { type: 'warning', code: 'model_blocked', message }];
  });
  return { type: 'set_aside', reason };
}

function describeSetAside(reason: Exclude<SetAsideReason, { readonly kind: 'screened' }>): string {
  switch (reason.kind) {
    case 'stopped':
      return 'Stopped by the user; it will be run again on resume.';
    case 'unanswered':
      return `${sentence(reason.message)} It will be run again.`;
    case 'put_off':
      return `${sentence(reason.message)} It will be run when the study goes on.`;
    case 'spent':
    case 'refused':
      return `${sentence(reason.message)} It will be run again on resume.`;
    default:
      return unreachable(reason);
  }
}

/** What a machine or a server said may end without a full stop. */
function sentence(text: string): string {
  return text.replace(/[.\s]*$/, '.');
}
