import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { matchPaths, mayMatchBelow } from '../../contract/editable.ts';

/** More is not what a training leaves for a scorer, but a dump. */
const MAX_FILES = 10_000;

export type Artifact = { readonly path: string; readonly bytes: number };

/**
 * Plain files of a worktree that patterns name, a folder's name standing for all in it. Links are not followed, for they may
 * lead to what the training could not read.
 * @param isTaken whether a path is a locked file, which no artifact can be
 * @returns null where there are more than {@link MAX_FILES}
 */
export async function findArtifacts(
  worktree: string,
  patterns: readonly string[],
  isTaken: (path: string) => boolean,
): Promise<readonly Artifact[] | null> {
  const all = patterns.flatMap(pattern => [pattern, `${pattern.replace(/\/$/, '')}/**`]);
  const [matches, mayHold] = [matchPaths(all), mayMatchBelow(all)];
  const found: Artifact[] = [];
  const visit = async (folder: string): Promise<boolean> => {
    for (const entry of await readdir(join(worktree, folder), { withFileTypes: true }).catch(() => [])) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (path !== '.git' && mayHold(path) && !(await visit(path))) return false;
      } else if (entry.isFile() && matches(path) && !isTaken(path)) {
        found.push({ path, bytes: (await lstat(join(worktree, path))).size });
        if (found.length > MAX_FILES) return false;
      }
    }
    return true;
  };
  return (await visit('')) ? found : null;
}

/** Copies artifacts, for whoever left them may still hold them open. Rejects with the file system's errors. */
export async function copyArtifacts(
  worktree: string,
  artifacts: readonly Artifact[],
  to: string,
): Promise<void> {
  const root = await realpath(worktree);
  for (const { path } of artifacts) {
    const from = join(root, path);
    if ((await realpath(from)) !== from) throw new Error(`${path} became a link while it was copied`);
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(from, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  }
}
