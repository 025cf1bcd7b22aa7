import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Path of a file or folder that Pawl is shipped with, as it is named from the top of a checkout, or null where it was
 * not brought along. A checkout, what is built from it and an installed app differ in how far above the running code
 * that lies.
 */
export function findShipped(path: string): string | null {
  let folder = import.meta.dirname;
  for (let above = dirname(folder); above !== folder; folder = above, above = dirname(folder)) {
    const found = join(above, path);
    if (existsSync(found)) return found;
  }
  return null;
}

/** {@link findShipped} below `resources`. */
export function findResource(name: string): string | null {
  return findShipped(join('resources', name));
}
