import { gitOf, type Repository, spellPath } from './repository.ts';

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

/** Unified diff from `from` to `to` as bytes of text; binary files are named, not shown. */
export async function readDiff(repository: Repository, from: string, to: string): Promise<string> {
  const { stdout } = await gitOf(repository, [
    ...['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'],
    from,
    to,
    '--',
  ]);
  return stdout.toString('utf8');
}
