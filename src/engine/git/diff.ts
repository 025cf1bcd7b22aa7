import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.ts';
import { git } from './git.ts';
import { gitOf, type Repository, readBlob, spellPath } from './repository.ts';

export type ChangedFile = {
  readonly path: string;
  /** Lines; null for a binary file. */
  readonly added: number | null;
  readonly removed: number | null;
};

/** Files that differ between two commits. */
export async function listChangedFiles(
  repository: Repository,
  from: string,
  to: string,
): Promise<readonly ChangedFile[]> {
  const { stdout } = await gitOf(repository, ['diff', '--numstat', '-z', '--no-renames', from, to, '--']);
  const files: ChangedFile[] = [];
  for (let start = 0; start < stdout.length; ) {
    const end = stdout.indexOf(0, start);
    const [added = '', removed = ''] = stdout.toString('latin1', start, end).split('\t', 2);
    const name = stdout.subarray(start + added.length + removed.length + 2, end);
    files.push({ path: spellPath(name), added: count(added), removed: count(removed) });
    start = end + 1;
  }
  return files;
}

function count(text: string): number | null {
  return text === '-' ? null : Number(text);
}

/** The unified diff from `from` to `to` as text; binary files are only named. */
export async function readDiff(repository: Repository, from: string, to: string): Promise<string> {
  const { stdout } = await gitOf(repository, [
    ...['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'],
    from,
    to,
    '--',
  ]);
  return stdout.toString('utf8');
}

/**
 * Unified diff from the commit `base` to files that are not committed yet.
 * @param files whole texts by plain relative paths
 * @param scratch see {@link makeScratch}
 */
export async function diffFiles(
  { base, files }: { readonly base: string; readonly files: ReadonlyMap<string, string> },
  repository: Repository,
  scratch: string,
): Promise<string> {
  const folder = await makeScratch(scratch, 'diff');
  const write = async (side: string, path: string, content: string | Buffer) => {
    await mkdir(dirname(join(folder, side, path)), { recursive: true });
    await writeFile(join(folder, side, path), content);
  };
  try {
    await Promise.all(['a', 'b'].map(side => mkdir(join(folder, side))));
    for (const [path, text] of files) {
      const before = await readBlob(repository, base, path);
      if (before !== null) await write('a', path, before);
      await write('b', path, text);
    }
    // Named like the sides of a diff.
    const options = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-renames', '--no-prefix'];
    const { stdout } = await git(folder, ['diff', '--no-index', ...options, 'a', 'b'], { accept: [0, 1] });
    // For a new file git uses the same side in both names. No line of a file can begin like this heading.
    return stdout.toString('utf8').replaceAll(/^diff --git b\/(.*) b\/\1$/gm, 'diff --git a/$1 b/$1');
  } finally {
    await removeScratch(folder);
  }
}
