import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { listCheckouts } from '../git/checkouts.ts';
import { branchRef, removeTag } from '../git/refs.ts';
import { removeAt } from '../git/remove.ts';
import { openRepository, type Repository, readRef } from '../git/repository.ts';
import { removeWorktree } from '../git/worktree.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import { KILL_TIMES, type KillTimes, killTree } from '../process/kill-tree.ts';
import type { Ledger } from '../store/ledger.ts';

/** The ledger's key for the pending removals, so that the next engine finishes what this one could not. */
const SETTING = 'removals';
/** Deleted at a time: the engine gets its turn in between. */
const BATCH = 100;

const removalSchema = z.strictObject({
  id: z.string(),
  tag: z.string(),
  repositoryPath: z.string(),
  worktreeName: z.string(),
  baseCommit: z.string(),
  /** Whether the branch and the commits of all attempts stay in the repository. */
  keepsRefs: z.boolean(),
});
type Removal = z.infer<typeof removalSchema>;

export type RemovalOptions = {
  readonly paths: DataPaths;
  readonly killTimes?: KillTimes | undefined;
};

function readRemovals(ledger: Ledger): readonly Removal[] {
  const stored = z.array(removalSchema).safeParse(ledger.settings.get(SETTING));
  return stored.success ? stored.data : [];
}

/** Records that a study is to be removed; {@link finishRemovals} does it. Call it inside `ledger.write`. */
export function beginRemoval(ledger: Ledger, study: Study, keepsRefs: boolean): void {
  const { id, tag, repositoryPath, worktreeName, baseCommit } = study;
  const others = readRemovals(ledger).filter(other => other.id !== id);
  ledger.settings.set(SETTING, [...others, { id, tag, repositoryPath, worktreeName, baseCommit, keepsRefs }]);
}

/**
 * Finishes removals that were begun: rows, processes, worktree, logs, and if requested the branch and refs. The
 * studies' jobs on other machines are not part of this: a host may be away for days, and by then another study may have
 * the same tag and refs.
 * @returns why something was not removed, a sentence each; the next call tries again
 */
export async function finishRemovals(
  ledger: Ledger,
  { paths, killTimes = KILL_TIMES }: RemovalOptions,
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
  const { id, keepsRefs } = removal;
  while (ledger.write(() => ledger.studies.removeExperiments(id, BATCH)) > 0) {
    await nextTurn();
  }
  ledger.write(() => ledger.studies.remove(id));
  if (!keepsRefs) await refuseRemovalOfRefs(removal, paths.worktrees);
  await removeFromMachine(removal, paths.worktrees, killTimes, false);
  await removeAt(Buffer.from(studyFolder(paths, id)));
  // Last, because once they are gone another study can get the tag, and must not lose its refs to another try.
  const repository = keepsRefs ? null : await repositoryOf(removal);
  if (repository) await removeTag(repository, removal.tag);
}

type Place = Pick<Study, 'id' | 'tag' | 'repositoryPath' | 'worktreeName' | 'baseCommit'>;

/**
 * Ends the processes of a study and removes its worktree, and its refs if requested. Refs of a repository that is
 * gone or has been replaced are left. Rejects if the repository cannot be read, or the branch is checked out
 * somewhere.
 */
export async function removeFromMachine(
  study: Place,
  worktrees: string,
  killTimes: KillTimes,
  hasToRemoveRefs: boolean,
): Promise<void> {
  const { id, tag, worktreeName } = study;
  const hasMarker = (marker: string) => marker.startsWith(`${id}/`);
  await killTree({ hasMarker, root: null, tracked: [] }, killTimes, { ask: true });
  const repository = await repositoryOf(study);
  const path = await worktreePath(study, worktrees);
  if (repository && hasToRemoveRefs) await refuseCheckedOut(repository, tag, path);
  for (const own of worktreeName === '' ? [] : await listWorktrees(path))
    await removeWorktree(repository, own);
  if (repository && hasToRemoveRefs) await removeTag(repository, tag);
}

/** Paths of the worktrees of all lanes that a study ever had; includes the first one even if it is gone. */
async function listWorktrees(path: string): Promise<readonly string[]> {
  const [folder, first] = [dirname(path), basename(path)];
  const names = await readdir(folder).catch(() => []);
  const isLane = (name: string) => name.startsWith(`${first}.`) && /^\d+$/.test(name.slice(first.length + 1));
  return [path, ...names.filter(isLane).map(name => join(folder, name))];
}

/** Rejects with `usage` if the refs of a study cannot go, because its branch is checked out somewhere. */
export async function refuseRemovalOfRefs(study: Place, worktrees: string): Promise<void> {
  const repository = await repositoryOf(study);
  if (repository) await refuseCheckedOut(repository, study.tag, await worktreePath(study, worktrees));
}

/** Null if it is gone, or is not the one in which the study was made. */
async function repositoryOf({ repositoryPath, baseCommit }: Place): Promise<Repository | null> {
  if (repositoryPath === '' || !existsSync(repositoryPath)) return null;
  const repository = await openRepository(repositoryPath);
  return (await readRef(repository, baseCommit)) === null ? null : repository;
}

async function worktreePath({ worktreeName }: Place, worktrees: string): Promise<string> {
  return join(await realpath(worktrees).catch(() => worktrees), worktreeName);
}

async function refuseCheckedOut(repository: Repository, tag: string, own: string): Promise<void> {
  const [folder] = await listCheckouts(repository, branchRef(tag), own);
  if (folder === undefined) return;
  throw new PawlError(
    'usage',
    `${folder} has autoresearch/${tag} checked out, and would be left without a commit. Switch to another branch first, or keep the branch.`,
  );
}
