import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Path of a file below `resources`, or null where it was not brought along. A checkout, what is built from it and an
 * installed app differ in how far above the running code that folder lies.
 */
export function findResource(name: string): string | null {
  let folder = import.meta.dirname;
  for (let above = dirname(folder); above !== folder; folder = above, above = dirname(folder)) {
    const path = join(above, 'resources', name);
    if (existsSync(path)) return path;
  }
  return null;
}
