import type { Stats } from 'node:fs';
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes the proposed texts, or returns why one cannot be written, and then writes none. The worktree's content is
 * untrusted: no link may lead the text out of it, and nothing is written to paths that belong to no commit (`tracked`
 * are those that do), because nobody would see it or undo it.
 */
export async function writeFiles(
  root: string,
  files: ReadonlyMap<string, string>,
  tracked: readonly string[],
): Promise<string | null> {
  for (const path of files.keys()) {
    const fault = await findFault(root, path, tracked);
    if (fault !== null) return `${path}: ${fault}`;
  }
  for (const [path, text] of files) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, 'utf8');
  }
  return null;
}

async function findFault(root: string, path: string, tracked: readonly string[]): Promise<string | null> {
  const parts = path.split('/');
  if (parts.some(part => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    return 'this is not a path inside the repository.';
  }
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const own = parts.slice(0, depth).join('/');
    const isLast = depth === parts.length;
    const found = await look(join(root, own));
    if (found === 'odd') return 'a file cannot have that name.';
    if (!found) return null;
    if (isLast ? !found.isFile() : !found.isDirectory()) {
      return isLast ? 'this is not a plain file.' : `${own} is not a plain folder.`;
    }
    const isTracked = tracked.some(known => (isLast ? known === own : known.startsWith(`${own}/`)));
    if (!isTracked) return `${own} is not part of the repository; its set-up made it.`;
  }
  return null;
}

function look(path: string): Promise<Stats | null | 'odd'> {
  return lstat(path).catch(error => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    if (error.code === 'ENAMETOOLONG' || error.code === 'EINVAL') return 'odd';
    throw error;
  });
}
