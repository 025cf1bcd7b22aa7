import { execFile } from 'node:child_process';
import { chmod, lstat, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Entry, readFolder } from './read-folder.ts';

/** How many files are removed at the same time. */
const AT_ONCE = 64;

const run = promisify(execFile);

/**
 * Removes a file or folder despite missing permissions and over-long paths, as far as its owner can. A missing one is
 * fine. Rejects with an AbortError when the signal is aborted, and leaves the rest.
 */
export async function removeAt(rawPath: Buffer, signal?: AbortSignal): Promise<void> {
  try {
    await removeTree(rawPath, signal);
  } catch {
    signal?.throwIfAborted();
    // Removing an entry takes write permission on its folder.
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
    // `rm` works relative to folders, so no path is too long for it.
    await run('rm', ['-rf', '--', path], options);
  }
}

/** In pieces, because Node's own `rm` reads a whole folder into memory and cannot be aborted. */
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
        // Some file systems skip entries when a folder changes while it is read, so read it again.
        if (kind === 'full' && error.code === 'ENOTEMPTY') return false;
        if (error.code === 'ENOENT') return true;
        throw error;
      },
    );
    if (isGone) return;
  }
}

/** Removes leftovers from the worktree, many files at the same time. */
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
  // One folder after the other, because each may remove as many files at a time as this call.
  for (const { isFolder, rawPath } of entries) if (isFolder) await removeFolder(rawPath);
}

/** Removes what is at a path in a folder. Follows no link on the way: it removes the link instead. */
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
