import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What tells whether each path is still what it was: of a link where it leads, of a folder which one it is, of a file its
 * size and times. What is in a folder is not looked at.
 */
export async function fingerprints(
  folder: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) found.set(path, await fingerprint(join(folder, path)));
  return found;
}

async function fingerprint(path: string): Promise<string> {
  const stat = await lstat(path, { bigint: true }).catch(() => null);
  if (!stat) return 'none';
  if (stat.isSymbolicLink()) return `link ${await readlink(path).catch(() => '')}`;
  if (stat.isDirectory()) return `folder ${stat.dev} ${stat.ino}`;
  return `file ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

/** Paths that are not what they were. */
export function exchanged(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...before].flatMap(([path, was]) => (after.get(path) === was ? [] : [path]));
}
