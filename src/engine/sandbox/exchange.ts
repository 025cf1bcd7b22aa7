import { lstat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Swap } from '../../shared/contract.ts';
import { real } from './home-view.ts';
import type { Jail, Mount } from './jail.ts';
import { placesIn } from './shown.ts';
import { inHome } from './withheld.ts';

type Exchanged = { readonly path: string; readonly other: string };

/**
 * Why data cannot be exchanged, as a sentence; null where it can.
 * @param worktree a checkout of the study
 */
export async function findSwapFault(
  swaps: readonly Swap[],
  worktree: string,
  home: string,
): Promise<string | null> {
  for (const swap of swaps) {
    const kinds = await Promise.all(
      [swap.path, swap.other].map(async named => {
        const found = await lstat(await placed(named, worktree, home)).catch(() => null);
        return found?.isDirectory() ? 'folder' : found?.isFile() ? 'file' : named;
      }),
    );
    const missing = kinds.find(kind => kind !== 'folder' && kind !== 'file');
    if (missing !== undefined) return `${missing}, which audit.swap names, is not there.`;
    if (kinds[0] !== kinds[1])
      return `Of ${swap.path} and ${swap.other}, which audit.swap exchanges, one is a folder and one is a file.`;
  }
  return null;
}

/** What is mounted so that each of two files or folders is found in the place of the other, wherever a program sees them. */
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
  const instead = (what: string, of: string) =>
    placesIn(jail, of).map((where): Mount => ({ what, where, isWritable: false }));
  return pairs.flatMap(({ path, other }) => [...instead(other, path), ...instead(path, other)]);
}

function placed(named: string, worktree: string, home: string): Promise<string> {
  const path = inHome(named, home);
  return real(isAbsolute(path) ? path : join(worktree, path));
}
