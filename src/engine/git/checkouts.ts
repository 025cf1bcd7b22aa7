import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitFields } from './git.ts';
import type { Repository } from './repository.ts';

/**
 * Folders of the worktrees that have a branch checked out, without those whose folder is gone.
 * @param own a worktree to leave out, together with those named like it plus a point and a suffix
 */
export async function listCheckouts(
  repository: Repository,
  ref: string,
  own: string,
): Promise<readonly string[]> {
  if (await isNowhere(repository, ref)) return [];
  const fields = await gitFields(repository.gitDir, [
    ...['--git-dir', repository.gitDir],
    ...['worktree', 'list', '--porcelain', '-z'],
  ]);
  const records = fields
    .join('\0')
    .split('\0\0')
    .map(record => record.split('\0'));
  return records
    .filter(record => record.includes(`branch ${ref}`) && !record.some(line => line.startsWith('prunable')))
    .map(record => record[0]?.replace(/^worktree /, '') ?? '')
    .filter(folder => folder !== own && !(own !== '' && folder.startsWith(`${own}.`)));
}

/** The content of HEAD in repositories that keep refs in another form (reftable). */
export const NO_HEAD_FILE = 'ref: refs/heads/.invalid';
const ID = /^[0-9a-f]{40,64}\n$/;
const BRANCH = /^ref: (refs\/heads\/[^\n]+)\n$/;

/** Whether the HEAD files alone show that no worktree has the branch; in any doubtful case git is asked. */
async function isNowhere({ gitDir }: Repository, ref: string): Promise<boolean> {
  const records = await readdir(join(gitDir, 'worktrees')).catch(() => []);
  const heads = ['HEAD', ...records.map(name => join('worktrees', name, 'HEAD'))];
  const saysOther = async (head: string) => {
    const file = join(gitDir, head);
    const isFile = await lstat(file).then(
      stat => stat.isFile(),
      () => false,
    );
    const said = isFile ? await readFile(file, 'utf8') : '';
    const branch = BRANCH.exec(said)?.[1];
    if (branch === undefined) return ID.test(said);
    if (branch === ref || said.startsWith(NO_HEAD_FILE)) return false;
    // The branch may be a symbolic ref to another branch.
    return !(await readFile(join(gitDir, branch), 'utf8').catch(() => '')).startsWith('ref:');
  };
  return (await Promise.all(heads.map(saysOther))).every(Boolean);
}
