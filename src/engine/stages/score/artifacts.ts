import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { matchPaths, mayMatchBelow } from '../../contract/editable.ts';

/** More is not what a training leaves for a scorer, but a dump. */
const MAX_FILES = 10_000;
/** A larger file is copied by a program, which can be stopped and keeps its holes. */
const LARGE_BYTES = 16 * 1024 ** 2;

export type Artifact = {
  readonly path: string;
  /** That a copy takes on the disk. */
  readonly bytes: number;
};

/**
 * Plain files of a worktree that patterns name, a folder's name standing for all in it. Links are not followed, for they may
 * lead to what the training could not read, and a name that is not UTF-8 is not found. Rejects with the file system's errors.
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
    for (const entry of await readdir(join(worktree, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (path !== '.git' && mayHold(path) && !(await visit(path))) return false;
      } else if (entry.isFile() && matches(path) && !isTaken(path) && !path.includes('\uFFFD')) {
        // Blocks of 512 bytes, whatever the file system's are: stat(2).
        found.push({ path, bytes: (await lstat(join(worktree, path))).blocks * 512 });
        if (found.length > MAX_FILES) return false;
      }
    }
    return true;
  };
  return (await visit('')) ? found : null;
}

/**
 * Copies artifacts, for whoever left them may still hold them open. Rejects with the file system's errors, and with an
 * AbortError when the signal is aborted.
 */
export async function copyArtifacts(
  worktree: string,
  artifacts: readonly Artifact[],
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const root = await realpath(worktree);
  for (const { path, bytes } of artifacts) {
    signal.throwIfAborted();
    const from = join(root, path);
    if ((await realpath(from)) !== from) throw new Error(`${path} became a link while it was copied`);
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    if (bytes > LARGE_BYTES || bytes < (await lstat(from)).size) {
      const options = ['--no-dereference', '--reflink=auto', '--sparse=always'];
      await promisify(execFile)('cp', [...options, '--', from, target], { signal });
    } else await copyFile(from, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const { mode } = await lstat(target);
    await chmod(target, (mode & 0o111) === 0 ? 0o444 : 0o555);
  }
}
