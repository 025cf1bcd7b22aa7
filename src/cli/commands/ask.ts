import { dataPaths } from '../../engine/paths.ts';
import { isEngineRunning, readLockHolder } from '../../engine/store/engine-lock.ts';
import { openLedger } from '../../engine/store/ledger.ts';
import type { Request } from '../../engine/store/requests.ts';
import { PawlError } from '../../shared/errors.ts';
import { print } from '../print.ts';

/** Leaves a request for the engine that runs on this data folder. Rejects with `study_not_found` if none is listening. */
export async function ask(request: Request): Promise<void> {
  const paths = dataPaths(process.env);
  if (!isEngineRunning(paths))
    throw new PawlError('study_not_found', 'No engine runs, so there is nothing to ask.');
  const holder = readLockHolder(paths);
  const ledger = openLedger(paths.ledger);
  try {
    // A terminal's engine always has a sitting, or is about to; a window's engine may be waiting for one.
    const isIdle =
      holder !== null &&
      holder.host !== 'terminal' &&
      !ledger.studies.list().some(({ state }) => state === 'running' || state === 'paused');
    if (isIdle) {
      throw new PawlError(
        'study_not_found',
        `A window is open on ${paths.home} (process ${holder.pid}, ${holder.host}), but no study runs in it: start or resume one there.`,
      );
    }
    ledger.write(() => ledger.requests.add(request, Date.now()));
  } finally {
    ledger.close();
  }
  const said = {
    pause: 'It pauses after this experiment.',
    continue: 'It continues.',
    stop: 'It stops after this experiment.',
    stop_now: 'It stops now.',
    stop_run: 'It ends that run, if it is under way, and goes on.',
  };
  print(said[request.kind]);
}
