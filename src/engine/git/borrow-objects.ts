import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from './git.ts';
import { gitOf, type Repository } from './repository.ts';

/**
 * An empty repository that reads the objects of another, for what may come to nothing: it writes only into itself, and goes with
 * its folder. Nothing the other's configuration names (merge drivers, filters) runs in it.
 * @param folder where it is made
 * @param commit any of the other's, which tells how its objects are named
 */
export async function borrowObjects(
  repository: Repository,
  folder: string,
  commit: string,
): Promise<Repository> {
  const gitDir = join(folder, 'borrowed.git');
  const format = commit.length === 64 ? 'sha256' : 'sha1';
  await git(folder, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, '--', gitDir]);
  await writeFile(join(gitDir, 'objects/info/alternates'), `${join(repository.gitDir, 'objects')}\n`);
  // A clone without its whole history names the commits whose parents it has not.
  await copyFile(join(repository.gitDir, 'shallow'), join(gitDir, 'shallow')).catch(error => {
    if (error.code !== 'ENOENT') throw error;
  });
  return { path: folder, gitDir };
}

/** Copies the commits from `base`, which both have, to `tip`, with whatever they need. No ref leads to them yet. */
export async function copyCommits(
  from: Repository,
  to: Repository,
  { base, tip }: { readonly base: string; readonly tip: string },
): Promise<void> {
  const { stdout } = await gitOf(from, ['pack-objects', '--quiet', '--revs', '--stdout'], {
    stdin: `${tip}\n^${base}\n`,
  });
  await gitOf(to, ['unpack-objects', '-q'], { stdin: stdout });
}
