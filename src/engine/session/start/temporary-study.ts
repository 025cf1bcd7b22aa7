import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import { branchRef } from '../../git/refs.ts';
import { removeAt } from '../../git/remove.ts';
import type { DataPaths } from '../../paths.ts';
import { KILL_TIMES, type KillTimes } from '../../process/kill-tree.ts';
import { translateErrors } from '../../store/database.ts';
import { type Ledger, openLedger } from '../../store/ledger.ts';
import { removeFromMachine } from '../remove-study.ts';

/**
 * Studies that leave nothing behind: they have their own ledger and folders, below one folder of the data folder,
 * whose content shows the next engine what an earlier one failed to remove.
 */
const FOLDER = 'temporary';

/** Where temporary studies lie; the data folder, its lock and the scratch folder are shared with other studies. */
export function temporaryPaths(paths: DataPaths): DataPaths {
  const root = join(paths.home, FOLDER);
  return {
    ...paths,
    ledger: join(root, 'pawl.sqlite'),
    worktrees: join(root, 'worktrees'),
    studies: join(root, 'studies'),
  };
}

/** A ledger for temporary studies, and their folders; removes first, as far as possible, what an earlier one left. */
export async function openTemporaryLedger(paths: DataPaths, killTimes?: KillTimes): Promise<Ledger> {
  await removeTemporaryStudies(paths, killTimes);
  await mkdir(join(paths.home, FOLDER), { recursive: true, mode: 0o700 });
  return openLedger(temporaryPaths(paths).ledger);
}

/**
 * Ends the processes of all temporary studies and removes what is theirs: worktrees, branches, refs, data. Leaves their
 * refs in a repository that no longer exists. The ledger must be closed.
 * @returns why something was not removed, a sentence each; then the data stays, and the next call tries again
 */
export async function removeTemporaryStudies(
  paths: DataPaths,
  killTimes: KillTimes = KILL_TIMES,
): Promise<readonly string[]> {
  const root = join(paths.home, FOLDER);
  if (!existsSync(root)) return [];
  const faults: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    await work().catch(error => faults.push(`${what} could not be removed: ${String(error.message)}`));
  };
  await attempt(`What a metric check left in ${root}`, async () => {
    const { ledger, worktrees } = temporaryPaths(paths);
    for (const study of listStudies(ledger))
      await attempt(`What a metric check left in ${study.repositoryPath} (${branchRef(study.tag)})`, () =>
        removeFromMachine(study, worktrees, killTimes, true),
      );
    if (faults.length === 0) await removeAt(Buffer.from(root));
  });
  return faults;
}

/** None if the ledger was not made, or is damaged: then no study had begun. Throws other errors of `openLedger`. */
function listStudies(path: string): readonly Study[] {
  if (!existsSync(path)) return [];
  try {
    const ledger = openLedger(path);
    try {
      return translateErrors(() => ledger.studies.list(), path);
    } finally {
      ledger.close();
    }
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== 'ledger_damaged') throw error;
    return [];
  }
}
