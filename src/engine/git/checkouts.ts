import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitFields } from './git.ts';
import type { Repository } from './repository.ts';

/**
 * Folders of the worktrees that have a branch checked out, as far as they exist.
 * @param own a worktree that does not count, nor one whose name begins with its name and a point
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

/** What a HEAD file says where refs are not files (reftable). */
export const NO_HEAD_FILE = 'ref: refs/heads/.invalid';
const ID = /^[0-9a-f]{40,64}\n$/;
const BRANCH = /^ref: (refs\/heads\/[^\n]+)\n$/;

/** Whether the HEAD files themselves say that no worktree has the branch; whatever is not plain in them is for git to tell. */
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
    // A branch may itself stand for another one.
    return !(await readFile(join(gitDir, branch), 'utf8').catch(() => '')).startsWith('ref:');
  };
  return (await Promise.all(heads.map(saysOther))).every(Boolean);
}
