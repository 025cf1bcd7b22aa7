import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What a file or a folder takes of its disk: the blocks in use, so that a sparse file counts as what it takes; 0 where there is nothing. */
export async function bytesBelow(path: string): Promise<number> {
  const found = await lstat(path).catch(() => null);
  if (!found) return 0;
  let bytes = found.blocks * 512;
  if (!found.isDirectory()) return bytes;
  for (const name of await readdir(path).catch(() => [])) bytes += await bytesBelow(join(path, name));
  return bytes;
}
