import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { removeTag } from '../git/refs.ts';
import { removeAt } from '../git/remove.ts';
import { openRepository } from '../git/repository.ts';
import { removeWorktree } from '../git/worktree.ts';
import type { DataPaths } from '../paths.ts';
import { KILL_TIMES, type KillTimes, killTree } from '../process/kill-tree.ts';
import { type Ledger, openLedger } from '../store/ledger.ts';

/**
 * Studies that leave nothing behind: they have a ledger and folders of their own, below one folder of the data folder, so that
 * what is there tells the next engine what an earlier one did not come to remove.
 */
const FOLDER = 'temporary';

/** Where temporary studies lie; the data folder, its lock and the scratch folder stay those of the others. */
export function temporaryPaths(paths: DataPaths): DataPaths {
  const root = join(paths.home, FOLDER);
  return {
    ...paths,
    ledger: join(root, 'pawl.sqlite'),
    worktrees: join(root, 'worktrees'),
    studies: join(root, 'studies'),
  };
}

/** An empty ledger for temporary studies, and their folders; what an earlier one left is removed first. */
export async function openTemporaryLedger(paths: DataPaths, killTimes?: KillTimes): Promise<Ledger> {
  await removeTemporaryStudies(paths, killTimes);
  await mkdir(join(paths.home, FOLDER), { recursive: true, mode: 0o700 });
  return openLedger(temporaryPaths(paths).ledger);
}

/**
 * Ends the processes of all temporary studies and removes what is theirs: worktrees, branches, refs, data. What lies in a
 * repository that is not there any more is left. The ledger must be closed.
 */
export async function removeTemporaryStudies(
  paths: DataPaths,
  killTimes: KillTimes = KILL_TIMES,
): Promise<void> {
  const root = join(paths.home, FOLDER);
  if (!existsSync(root)) return;
  const { ledger, worktrees } = temporaryPaths(paths);
  for (const { id, tag, repositoryPath, worktreeName } of listStudies(ledger)) {
    const hasMarker = (marker: string) => marker.startsWith(`${id}/`);
    await killTree({ hasMarker, root: null, tracked: [] }, killTimes, { ask: true });
    const repository = await openRepository(repositoryPath).catch(() => null);
    if (!repository) continue;
    const folder = await realpath(worktrees).catch(() => worktrees);
    await removeWorktree(repository, join(folder, worktreeName));
    await removeTag(repository, tag);
  }
  await removeAt(Buffer.from(root));
}

/** None where the ledger was not made, or cannot be read: then no study had begun. */
function listStudies(path: string): ReturnType<Ledger['studies']['list']> {
  if (!existsSync(path)) return [];
  try {
    const ledger = openLedger(path);
    try {
      return ledger.studies.list();
    } finally {
      ledger.close();
    }
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    return [];
  }
}
