import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';

/** What a second start passes to the first. */
export const launchSchema = z.looseObject({ path: z.string().max(4_096).nullable() });

/**
 * The first argument that may be a path, made absolute; null if there is none. `skip` is how many arguments belong to
 * the program itself: the executable, and for `electron .` everything up to the app's folder.
 */
export function launchPath(argv: readonly string[], skip: number, cwd: string): string | null {
  const path = argv.slice(skip).find(argument => argument !== '' && !argument.startsWith('-'));
  return path === undefined ? null : resolve(cwd, path);
}

/** The path if it is a folder. */
export async function existingFolder(path: string | null): Promise<string | null> {
  if (path === null) return null;
  return stat(path).then(
    found => (found.isDirectory() ? path : null),
    () => null,
  );
}
