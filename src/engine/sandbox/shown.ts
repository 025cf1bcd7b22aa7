import { existsSync } from 'node:fs';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import { EMPTIED, type Jail } from './jail.ts';

/** Of these files those that a contained program would see. */
export async function shownFiles(
  jail: Omit<Jail, 'masked'>,
  paths: readonly string[],
): Promise<readonly string[]> {
  const isShown = isShownIn(jail);
  const found = await Promise.all(paths.filter(existsSync).map(real));
  return [...new Set(found.filter(isShown))];
}

/** Tells whether what lies at a real path can be seen in a jail: the nearest folder that is named decides. */
export function isShownIn({
  hidden,
  mounts,
  readable,
  writable,
}: Omit<Jail, 'masked'>): (path: string) => boolean {
  const inTheWay = mounts.map(({ where }) => where);
  const emptied = [...EMPTIED, ...hidden, ...inTheWay];
  const shown = [...readable, ...writable];
  return path => {
    const nearest = (folders: readonly string[]) =>
      Math.max(-1, ...folders.filter(folder => isBelow(path, folder)).map(folder => folder.length));
    return nearest(shown) >= nearest(emptied);
  };
}

/** Where a program sees what lies at a real path: at its own place, and in folders that are mounted elsewhere. */
export function placesIn(jail: Omit<Jail, 'masked'>, path: string): readonly string[] {
  const elsewhere = jail.mounts
    .filter(({ what, isWritable }) => !isWritable && isBelow(path, what))
    .map(({ what, where }) => where + path.slice(what.length));
  return [...new Set([...(isShownIn(jail)(path) ? [path] : []), ...elsewhere])];
}
