import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git } from '../git/git.ts';
import { gitOf, type Repository } from '../git/repository.ts';

/** The repository in the shared folder that holds the commits to train of one user repository. */
export function sharedRepository(folder: string, repository: Pick<Repository, 'gitDir'>): string {
  const name = createHash('sha256').update(repository.gitDir).digest('hex').slice(0, 16);
  return join(folder, 'repositories', `${name}.git`);
}

/** Puts a commit into the shared repository under its own ref, so that it stays there as long as the job. */
export async function shareCommit(
  repository: Repository,
  shared: string,
  commit: string,
  name: string,
): Promise<void> {
  if (!(await isThere(shared))) await makeShared(shared, commit.length === 64 ? 'sha256' : 'sha1');
  await gitOf(repository, ['push', '--quiet', '--no-verify', '--force', shared, `${commit}:${refOf(name)}`]);
}

/** Several lanes may make it at once: it is there completely or not at all. */
async function makeShared(shared: string, form: 'sha1' | 'sha256'): Promise<void> {
  const folder = dirname(shared);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made = await mkdtemp(`${shared}.`);
  try {
    await git(folder, ['init', '--quiet', '--bare', '--template=', `--object-format=${form}`, made]);
    await rename(made, shared);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!(await isThere(shared))) throw error;
  }
}

/**
 * Pushes a commit over ssh to a bare repository that is there.
 * @param ssh the command line git starts
 */
export async function pushCommit(
  repository: Repository,
  url: string,
  {
    commit,
    name,
    ssh,
    signal,
  }: {
    readonly commit: string;
    readonly name: string;
    readonly ssh: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const args = ['push', '--quiet', '--no-verify', '--force', url, `${commit}:${refOf(name)}`];
  await gitOf(repository, args, { signal, env: { GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: 'ssh' } });
}

/** Does nothing if no commit was ever shared. */
export async function unshareCommit(shared: string, name: string): Promise<void> {
  if (!(await isThere(shared))) return;
  await git(dirname(shared), ['--git-dir', shared, 'update-ref', '-d', refOf(name)]);
}

export function refOf(name: string): string {
  return `refs/heads/${name}`;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
