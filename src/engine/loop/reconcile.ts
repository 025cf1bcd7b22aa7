import type { Ledger } from '../ledger/ledger.ts';
import { KILL_TIMES, type KillTimes, killTree } from '../training/kill-tree.ts';

/**
 * Puts right what an earlier life of the engine left: orphaned processes are ended, runs without an end and
 * experiments in flight become `interrupted`. A keep whose branch has not moved yet is finished when its study is
 * next run, because that needs the repository.
 */
export async function reconcile(
  ledger: Ledger,
  now: () => number,
  killTimes: KillTimes = KILL_TIMES,
): Promise<void> {
  const studies = ledger.studies.list();
  const own = new Set(studies.map(study => study.id));
  const isOwn = (marker: string) => own.has(marker.slice(0, marker.indexOf('/')));
  if (own.size > 0) await killTree({ hasMarker: isOwn, root: null, tracked: [] }, killTimes, { ask: true });

  const open = ledger.runs.open();
  const inFlight = studies.flatMap(({ id }) =>
    ledger.experiments
      .unfinished(id)
      .filter(({ phase, verdict }) => verdict === null && phase !== 'interrupted')
      .map(({ n }) => ({ id, n })),
  );
  const running = studies.filter(({ state }) => state === 'running' || state === 'paused');
  if (open.length + inFlight.length + running.length === 0) return;
  ledger.write(() => {
    for (const { run } of open) ledger.runs.interrupt(run, now());
    for (const { id, n } of inFlight) ledger.experiments.setPhase(id, n, 'interrupted');
    for (const { id } of running) {
      ledger.studies.setState(id, 'stopped', 'error', 'The engine ended while the study was running.');
    }
  });
}
