import { lstat, mkdir, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { foldersOf } from '../../sandbox/seals.ts';

/** A time before any file was written. */
const LONG_AGO = new Date('2001-01-01T00:00:00Z');

/**
 * Remembers when each tracked folder of a worktree last changed, so that it can tell in which ones a run created,
 * renamed or deleted something.
 */
export class FolderWatch {
  readonly #root: string;
  readonly #times: ReadonlyMap<string, bigint>;

  private constructor(root: string, times: ReadonlyMap<string, bigint>) {
    this.#root = root;
    this.#times = times;
  }

  static async begin(root: string, trackedPaths: Iterable<string>): Promise<FolderWatch> {
    const tracked = [...trackedPaths].filter(path => !path.includes('\0'));
    const folders = foldersOf(tracked);
    // Python creates one wherever it imports from, which is no reason to leave a whole package writable.
    const packages = new Set(tracked.filter(path => /.\/[^/]*\.py$/.test(path)).map(dirname));
    for (const folder of packages) await mkdir(join(root, folder, '__pycache__')).catch(() => {});
    // A time long ago, because some file systems store times only to the second or two.
    for (const folder of folders) await utimes(join(root, folder), LONG_AGO, LONG_AGO).catch(() => {});
    const times = await Promise.all(folders.map(folder => timeOf(root, folder)));
    return new FolderWatch(
      root,
      new Map(folders.flatMap((folder, at) => (times[at] ? [[folder, times[at]] as const] : []))),
    );
  }

  async listWritten(): Promise<readonly string[]> {
    const written: string[] = [];
    for (const [folder, time] of this.#times)
      if ((await timeOf(this.#root, folder)) !== time) written.push(folder);
    return written;
  }
}

/** When a folder's entries last changed, in nanoseconds; null if there is no such folder. */
async function timeOf(root: string, folder: string): Promise<bigint | null> {
  const found = await lstat(join(root, folder), { bigint: true }).catch(() => null);
  return found?.isDirectory() ? found.mtimeNs : null;
}
