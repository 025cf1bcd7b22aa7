import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from './git.ts';
import { gitOf, type Repository } from './repository.ts';

/**
 * An empty repository that reads another one's objects, for work that may be thrown away: it writes only into its own
 * folder. Programs in the other's configuration (merge drivers, filters) do not run in it.
 * @param folder where to create it
 * @param commit any commit of the other one, which shows its object format
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
  // The file of a shallow clone names the commits whose parents are missing.
  await copyFile(join(repository.gitDir, 'shallow'), join(gitDir, 'shallow')).catch(error => {
    if (error.code !== 'ENOENT') throw error;
  });
  return { path: folder, gitDir };
}

/**
 * Copies the commits after `base`, which both repositories have, up to `tip`, with all their objects. No ref leads to
 * them yet.
 */
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
