import { lstat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Swap } from '../../shared/contract/contract.ts';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import type { Jail, Mount } from './jail.ts';
import { placesIn } from './shown.ts';
import { inHome } from './withheld.ts';

type Exchanged = { readonly path: string; readonly other: string };

/**
 * Why data cannot be swapped, as a sentence; null if it can.
 * @param worktree a checkout of the study
 * @param secret paths that no training may see under any name: tokens, Pawl's own data except the worktree, git's
 * folders
 */
export async function findPlaceFault(
  swaps: readonly Swap[],
  worktree: string,
  home: string,
  secret: readonly string[],
): Promise<string | null> {
  const hidden = await Promise.all(secret.map(real));
  for (const swap of swaps) {
    for (const named of [swap.path, swap.other]) {
      const path = await placed(named, worktree, home);
      const isOwn = isBelow(path, worktree) && !isBelow(path, join(worktree, '.git'));
      if (!isOwn && hidden.some(place => isBelow(path, place) || isBelow(place, path)))
        return `${named}, which audit.swap names, is or contains something that no training may see.`;
    }
    const kinds = await Promise.all(
      [swap.path, swap.other].map(async named => {
        const found = await lstat(await placed(named, worktree, home)).catch(() => null);
        return found?.isDirectory() ? 'folder' : found?.isFile() ? 'file' : named;
      }),
    );
    const missing = kinds.find(kind => kind !== 'folder' && kind !== 'file');
    if (missing !== undefined) return `${missing}, which audit.swap names, does not exist.`;
    if (kinds[0] !== kinds[1])
      return `Of ${swap.path} and ${swap.other}, which audit.swap swaps, one is a folder and one is a file.`;
  }
  return null;
}

/** The mounts that put each of two files or folders in the other's place, wherever a program sees them. */
export async function exchange(
  jail: Omit<Jail, 'masked'>,
  swaps: readonly Swap[],
  worktree: string,
  home: string,
): Promise<readonly Mount[]> {
  const pairs = await Promise.all(
    swaps.map(async ({ path, other }): Promise<Exchanged> => {
      const [here, there] = await Promise.all([path, other].map(named => placed(named, worktree, home)));
      return { path: here ?? path, other: there ?? other };
    }),
  );
  const instead = async (what: string, of: string) => {
    // In a data cache, whose files are links, swap the folder itself; otherwise its files would keep their old names.
    const isFolderOfTree =
      (await lstat(of)).isDirectory() &&
      jail.mounts.some(({ where, isWritable }) => isWritable && of !== where && isBelow(of, where));
    const places = new Set([...placesIn(jail, of), ...(isFolderOfTree ? [of] : [])]);
    return [...places].map((where): Mount => ({ what, where, isWritable: false }));
  };
  const mounts = pairs.flatMap(({ path, other }) => [instead(other, path), instead(path, other)]);
  return (await Promise.all(mounts)).flat();
}

function placed(named: string, worktree: string, home: string): Promise<string> {
  const path = inHome(named, home);
  return real(isAbsolute(path) ? path : join(worktree, path));
}
