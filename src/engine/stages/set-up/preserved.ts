import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Shows whether each path is unchanged: a link by its target, a folder by its identity, a file by its size and times.
 * The content of folders is not checked.
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

/** Paths that have changed. */
export function exchanged(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...before].flatMap(([path, was]) => (after.get(path) === was ? [] : [path]));
}
