import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { resolveGitBinary } from 'dugite';
import { PawlError } from '../../shared/errors.ts';

const run = promisify(execFile);

/** The oldest git with everything Pawl calls (`update-ref --stdin -z`, `worktree add --lock --reason`). */
const LEAST_GIT_VERSION = [2, 38] as const;

/**
 * Variables that make dugite use an installed git: none if it has its embedded git or the user chose one, else those
 * for the first git on the PATH. Rejects with `git_missing`.
 */
async function findGit(): Promise<Readonly<Record<string, string>>> {
  if (process.env.LOCAL_GIT_DIRECTORY || existsSync(resolveGitBinary())) return {};
  const folder = (process.env.PATH ?? '').split(':').find(path => path && existsSync(`${path}/git`));
  if (!folder) {
    throw new PawlError('git_missing', `git was not found on the PATH. ${howToGetGit}`);
  }
  const { stdout } = await run(`${folder}/git`, ['--exec-path']);
  return {
    LOCAL_GIT_DIRECTORY: dirname(folder),
    GIT_EXEC_PATH: stdout.trim(),
    // dugite would look for it in its own folder; the system's configuration may define LFS filters.
    GIT_CONFIG_SYSTEM: '/etc/gitconfig',
  };
}

export const howToGetGit = `Install git ${LEAST_GIT_VERSION.join('.')} or newer (Debian: apt-get install git).`;

let found: Promise<Readonly<Record<string, string>>> | undefined;

/** {@link findGit}, looked up once a process. */
export function gitEnvironment(): Promise<Readonly<Record<string, string>>> {
  found ??= findGit();
  return found;
}

/** Whether `git version X.Y.Z` is recent enough. */
export function isRecentGit(version: string): boolean {
  const match = /(\d+)\.(\d+)/.exec(version);
  if (!match) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > LEAST_GIT_VERSION[0] || (major === LEAST_GIT_VERSION[0] && minor >= LEAST_GIT_VERSION[1]);
}
