import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { matchPaths, mayMatchBelow } from '../../contract/editable.ts';

/** A training that leaves more files leaves a dump, not something for a scorer. */
const MAX_FILES = 10_000;
/** Larger files are copied by a program that can be stopped and preserves holes. */
const LARGE_BYTES = 16 * 1024 ** 2;

export type Artifact = {
  readonly path: string;
  /** The disk space that a copy takes. */
  readonly bytes: number;
};

/** How calls to the folder of the artifacts are made: those to another machine's may have to be given up. */
export type Ask = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Plain files of a worktree that match the patterns; a folder's name stands for everything in it. Does not follow
 * links, because they may lead to files that the training could not read, and does not find names that are not UTF-8.
 * Rejects with the file system's errors.
 * @param isTaken whether a path is a locked file, which no artifact can be
 * @returns null if there are more than {@link MAX_FILES}
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
        // In blocks of 512 bytes, whatever the file system's block size: stat(2).
        found.push({ path, bytes: (await lstat(join(worktree, path))).blocks * 512 });
        if (found.length > MAX_FILES) return false;
      }
    }
    return true;
  };
  return (await visit('')) ? found : null;
}

/**
 * Copies artifacts, because their writers may still hold them open. Rejects with the file system's errors, and with
 * an AbortError when the signal is aborted.
 */
export async function copyArtifacts(
  worktree: string,
  artifacts: readonly Artifact[],
  to: string,
  signal: AbortSignal,
  ask: Ask = work => work(),
): Promise<void> {
  const root = await ask(() => realpath(worktree));
  for (const { path, bytes } of artifacts) {
    signal.throwIfAborted();
    const from = join(root, path);
    if ((await ask(() => realpath(from))) !== from)
      throw new Error(`${path} became a link while it was copied`);
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    if (bytes > LARGE_BYTES || bytes < (await ask(() => lstat(from))).size) {
      const options = ['--no-dereference', '--reflink=auto', '--sparse=always'];
      await promisify(execFile)('cp', [...options, '--', from, target], { signal });
    } else await ask(() => copyFile(from, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE));
    const { mode } = await lstat(target);
    await chmod(target, (mode & 0o111) === 0 ? 0o444 : 0o555);
  }
}
