import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Study } from '../../shared/study.ts';
import { removeTag } from '../git/refs.ts';
import { removeAt } from '../git/remove.ts';
import { openRepository } from '../git/repository.ts';
import { removeWorktree } from '../git/worktree.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import { KILL_TIMES, type KillTimes, killTree } from '../process/kill-tree.ts';
import type { Ledger } from '../store/ledger.ts';

/** Under which the ledger keeps what is being removed, so that the next engine finishes what this one could not. */
const SETTING = 'removals';
/** Deleted at a time: the engine has its turn in between. */
const BATCH = 100;

const removalSchema = z.strictObject({
  id: z.string(),
  tag: z.string(),
  repositoryPath: z.string(),
  worktreeName: z.string(),
  /** Whether the branch and the commits of all attempts stay in the repository. */
  keepsRefs: z.boolean(),
});
type Removal = z.infer<typeof removalSchema>;

function readRemovals(ledger: Ledger): readonly Removal[] {
  const stored = z.array(removalSchema).safeParse(ledger.settings.get(SETTING));
  return stored.success ? stored.data : [];
}

/** Writes down that a study goes; {@link finishRemovals} does it. Call it inside `ledger.write`. */
export function beginRemoval(ledger: Ledger, study: Study, keepsRefs: boolean): void {
  const { id, tag, repositoryPath, worktreeName } = study;
  const others = readRemovals(ledger).filter(other => other.id !== id);
  ledger.settings.set(SETTING, [...others, { id, tag, repositoryPath, worktreeName, keepsRefs }]);
}

/**
 * Removes studies that were begun to be removed: rows, processes, worktree, logs, and where that was asked the branch and refs.
 * @returns why something was not removed, a sentence each; the next call tries that again
 */
export async function finishRemovals(
  ledger: Ledger,
  paths: DataPaths,
  killTimes: KillTimes = KILL_TIMES,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const removal of readRemovals(ledger)) {
    try {
      await remove(ledger, removal, paths, killTimes);
      ledger.write(() =>
        ledger.settings.set(
          SETTING,
          readRemovals(ledger).filter(({ id }) => id !== removal.id),
        ),
      );
    } catch (error) {
      faults.push(
        `What was left of the study ${removal.tag} could not be removed: ${(error as Error).message}`,
      );
    }
  }
  return faults;
}

async function remove(
  ledger: Ledger,
  removal: Removal,
  paths: DataPaths,
  killTimes: KillTimes,
): Promise<void> {
  const { id, tag, repositoryPath, worktreeName, keepsRefs } = removal;
  while (ledger.write(() => ledger.studies.removeExperiments(id, BATCH)) > 0) {
    await new Promise<void>(resolve => setImmediate(resolve));
  }
  ledger.write(() => ledger.studies.remove(id));
  await removeFromMachine({ id, tag, repositoryPath, worktreeName }, paths.worktrees, killTimes, !keepsRefs);
  await removeAt(Buffer.from(studyFolder(paths, id)));
}

/** Ends the processes of a study and removes its worktree, and its refs where that is asked. A repository that is gone is left. */
export async function removeFromMachine(
  { id, tag, repositoryPath, worktreeName }: Pick<Study, 'id' | 'tag' | 'repositoryPath' | 'worktreeName'>,
  worktrees: string,
  killTimes: KillTimes,
  hasToRemoveRefs: boolean,
): Promise<void> {
  const hasMarker = (marker: string) => marker.startsWith(`${id}/`);
  await killTree({ hasMarker, root: null, tracked: [] }, killTimes, { ask: true });
  const repository = repositoryPath === '' ? null : await openRepository(repositoryPath).catch(() => null);
  if (!repository) return;
  const folder = await realpath(worktrees).catch(() => worktrees);
  await removeWorktree(repository, join(folder, worktreeName));
  if (hasToRemoveRefs) await removeTag(repository, tag);
}
