import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The path of a shipped file or folder, named relative to the top of a checkout; null if it is missing. How far that
 * is above the running code differs between a checkout, a build and an installed app.
 */
export function findShipped(path: string): string | null {
  let folder = import.meta.dirname;
  for (let above = dirname(folder); above !== folder; folder = above, above = dirname(folder)) {
    const found = join(above, path);
    if (existsSync(found)) return found;
  }
  return null;
}

/** {@link findShipped} in `resources`. */
export function findResource(name: string): string | null {
  return findShipped(join('resources', name));
}
