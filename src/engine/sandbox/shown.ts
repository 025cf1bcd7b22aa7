import { existsSync } from 'node:fs';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import { EMPTIED, type Jail } from './jail.ts';

/** Those of the files that a contained program would see. */
export async function shownFiles(
  jail: Omit<Jail, 'masked'>,
  paths: readonly string[],
): Promise<readonly string[]> {
  const isShown = isShownIn(jail);
  const found = await Promise.all(paths.filter(existsSync).map(real));
  return [...new Set(found.filter(isShown))];
}

/** Returns a test for whether a jail shows a real path: the nearest named folder decides. */
function isShownIn({ hidden, mounts, readable, writable }: Omit<Jail, 'masked'>): (path: string) => boolean {
  const inTheWay = mounts.map(({ where }) => where);
  const emptied = [...EMPTIED, ...hidden, ...inTheWay];
  const shown = [...readable, ...writable];
  return path => {
    const nearest = (folders: readonly string[]) =>
      Math.max(-1, ...folders.filter(folder => isBelow(path, folder)).map(folder => folder.length));
    return nearest(shown) >= nearest(emptied);
  };
}

/** Where a program sees the file at a real path: at its own path, and in folders mounted elsewhere. */
export function placesIn(jail: Omit<Jail, 'masked'>, path: string): readonly string[] {
  const elsewhere = jail.mounts
    .filter(({ what, isWritable }) => !isWritable && isBelow(path, what))
    .map(({ what, where }) => where + path.slice(what.length));
  return [...new Set([...(isShownIn(jail)(path) ? [path] : []), ...elsewhere])];
}
