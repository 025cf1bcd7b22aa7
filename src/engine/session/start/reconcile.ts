import { isLeft } from '../../../shared/phases.ts';
import type { DataPaths } from '../../paths.ts';
import { KILL_TIMES, type KillTimes, killTree } from '../../process/kill-tree.ts';
import { removeScratch, trialOwner } from '../../scratch.ts';
import { findAwaited } from '../../stages/measure/await-number.ts';
import type { Ledger } from '../../store/ledger.ts';

const ENGINE_ENDED = 'The engine ended before an answer came.';
const ENGINE_ENDED_DURING = 'The engine ended before it was done; it will be run again on resume.';

/**
 * Repairs what an earlier engine left: orphaned processes are ended, unfinished runs and experiments in flight become
 * `interrupted`. A keep whose branch has not moved yet is finished when its study next runs, because that needs the
 * repository. Requests to proposers that nobody will answer any more are closed, and their working files removed.
 */
export async function reconcile(
  ledger: Ledger,
  paths: DataPaths,
  now: () => number,
  killTimes: KillTimes = KILL_TIMES,
): Promise<void> {
  const studies = ledger.studies.list();
  const own = new Set([...studies.map(study => study.id), trialOwner(paths.scratch)]);
  const isOwn = (marker: string) => own.has(marker.slice(0, marker.indexOf('/')));
  if (studies.length > 0)
    await killTree({ hasMarker: isOwn, root: null, tracked: [] }, killTimes, { ask: true });

  await removeScratch(paths.scratch);
  ledger.write(() => {
    interruptUnfinished(ledger, now());
    ledger.modelCalls.closeOpen(ENGINE_ENDED);
    ledger.proposerCalls.closeOpen(ENGINE_ENDED);
    for (const { id, state } of studies) {
      if (state !== 'running' && state !== 'paused') continue;
      ledger.studies.setState(id, 'stopped', 'error', 'The engine ended while the study was running.');
    }
  });
}

/** Unfinished runs and experiments in flight become `interrupted`. Call it inside `ledger.write`. */
export function interruptUnfinished(ledger: Ledger, now: number): void {
  ledger.runs.interruptOpen(now);
  for (const study of ledger.studies.list()) {
    const { id } = study;
    for (const { n, phase, verdict } of ledger.experiments.unfinished(id)) {
      // A keep, or one that is being taken back, is finished when its study next runs, because that needs the
      // repository. An experiment that waits for the user or for its number keeps waiting.
      const waits = phase === 'reviewing' || findAwaited(ledger, study, n) !== null;
      const stays = verdict !== null || isLeft(phase) || waits;
      if (!stays) ledger.experiments.leave(id, n, 'interrupted', ENGINE_ENDED_DURING);
    }
  }
}
