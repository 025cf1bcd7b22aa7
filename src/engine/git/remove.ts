import { execFile } from 'node:child_process';
import { chmod, lstat, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Entry, readFolder } from './read-folder.ts';

/** So many files are removed at a time. */
const AT_ONCE = 64;

const run = promisify(execFile);

/**
 * Removes a file or folder against missing rights and over-long paths, as far as its owner can. What is not there is no fault.
 * Rejects with an AbortError when the signal is aborted; the rest is left.
 */
export async function removeAt(rawPath: Buffer, signal?: AbortSignal): Promise<void> {
  try {
    await removeTree(rawPath, signal);
  } catch {
    signal?.throwIfAborted();
    // Nobody can remove an entry of a folder they may not write.
    await chmod(rawPath.subarray(0, Math.max(0, rawPath.lastIndexOf('/'))), 0o700).catch(() => {});
    const isGone = await removeTree(rawPath, signal).then(
      () => true,
      () => false,
    );
    if (isGone) return;
    signal?.throwIfAborted();
    const path = rawPath.toString();
    const found = await lstat(rawPath).catch(() => null);
    const options = signal ? { signal } : {};
    if (found?.isDirectory()) await run('chmod', ['-R', 'u+rwX', '--', path], options).catch(() => {});
    signal?.throwIfAborted();
    // It works relative to folders, so that no path is too long for it.
    await run('rm', ['-rf', '--', path], options);
  }
}

/** In pieces: Node's own `rm` reads a whole folder into the memory, and nothing stops it. */
async function removeTree(rawPath: Buffer, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const found = await lstat(rawPath).catch(ignoreMissing);
  if (!found) return;
  if (!found.isDirectory()) {
    await unlink(rawPath).catch(ignoreMissing);
    return;
  }
  if ((found.mode & 0o700) !== 0o700) await chmod(rawPath, 0o700);
  for (;;) {
    const kind = await readFolder({ path: '', rawPath }, signal, entries =>
      removeEach(
        entries,
        signal,
        file => unlink(file).catch(ignoreMissing),
        folder => removeTree(folder, signal),
      ),
    );
    if (kind === 'unreadable') throw new Error('a folder cannot be read');
    const isGone = await rmdir(rawPath).then(
      () => true,
      error => {
        // Not every file system shows all of a folder from which is removed while it is read.
        if (kind === 'full' && error.code === 'ENOTEMPTY') return false;
        if (error.code === 'ENOENT') return true;
        throw error;
      },
    );
    if (isGone) return;
  }
}

/** Removes what lies in folders of the worktree beside what belongs there, files many at a time. */
export function removeLeftovers(entries: readonly Entry[], signal?: AbortSignal): Promise<void> {
  const remove = (rawPath: Buffer) => removeAt(rawPath, signal);
  return removeEach(entries, signal, remove, remove);
}

async function removeEach(
  entries: readonly Entry[],
  signal: AbortSignal | undefined,
  removeFile: (rawPath: Buffer) => Promise<unknown>,
  removeFolder: (rawPath: Buffer) => Promise<unknown>,
): Promise<void> {
  const files = entries.filter(({ isFolder }) => !isFolder);
  for (let start = 0; start < files.length; start += AT_ONCE) {
    signal?.throwIfAborted();
    await Promise.all(files.slice(start, start + AT_ONCE).map(({ rawPath }) => removeFile(rawPath)));
  }
  // One after the other: each may hold as many as this one.
  for (const { isFolder, rawPath } of entries) if (isFolder) await removeFolder(rawPath);
}

/** Removes what lies at a path below a folder, without following a link on the way: the link is removed instead. */
export async function removeBelow(root: string, path: string, signal?: AbortSignal): Promise<void> {
  let at = root;
  for (const part of path.split('/')) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    if (!found) return;
    if (!found.isDirectory()) break;
  }
  await removeAt(Buffer.from(at), signal);
}

function ignoreMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
