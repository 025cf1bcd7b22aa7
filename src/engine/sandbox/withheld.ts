import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import type { Jail } from './jail.ts';
import { placesIn } from './shown.ts';

/** A path in the contract, which may begin with the user's home folder. */
export function inHome(path: string, home: string): string {
  return path.startsWith('~/') ? join(home, path.slice(2)) : path;
}

/**
 * The same jail without files that only the contract's scorer may see, under any path: their own, and in folders
 * mounted elsewhere, such as data caches.
 * @param reads paths in the contract; missing ones are ignored
 */
export async function withhold(
  jail: Omit<Jail, 'masked'>,
  reads: readonly string[],
  home: string,
): Promise<Omit<Jail, 'masked'> & { readonly withheld: readonly string[] }> {
  const folders: string[] = [];
  const files: string[] = [];
  let rest = jail;
  for (const named of reads) {
    const path = await real(inHome(named, home));
    const found = await lstat(path).catch(() => null);
    if (!found) continue;
    const isIn = (other: string) => isBelow(other, path);
    rest = {
      ...rest,
      mounts: rest.mounts.filter(({ what, where }) => !isIn(what) && !isIn(where)),
      readable: rest.readable.filter(other => !isIn(other)),
    };
    (found.isDirectory() ? folders : files).push(...placesIn(rest, path));
  }
  return { ...rest, hidden: [...rest.hidden, ...folders], withheld: files };
}
