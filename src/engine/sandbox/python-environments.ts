import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import { matchEditable } from '../contract/editable.ts';
import type { Repository } from '../git/repository.ts';
import { usesUv } from '../process/find-program.ts';
import type { Mount } from './jail.ts';

type Checkout = { readonly repository: Repository };
type Project = Checkout & { readonly contract: Contract };

/** Where tools make a project's environment by custom. */
export const VENV = '.venv';

/** The environment in the user's checkout; null where there is none. */
export function usersVenv(repository: Repository): string | null {
  const path = join(repository.path, VENV);
  return existsSync(path) ? path : null;
}

/** The environments in which a training may run: the checkout's and the active ones. */
export function usedEnvironments(
  repository: Repository,
  { VIRTUAL_ENV, CONDA_PREFIX }: NodeJS.ProcessEnv,
): readonly string[] {
  return [...new Set([usersVenv(repository), VIRTUAL_ENV, CONDA_PREFIX].filter(path => path != null))];
}

/**
 * The user's environment in the place that `.venv/bin/python` names: git does not know it, so the worktree has none. bubblewrap makes an
 * empty folder to mount it on, which stays until the next checkout.
 */
export async function venvInWorktree({
  repository,
  worktree,
  preserved,
}: Checkout & { readonly worktree: string; readonly preserved: readonly string[] }): Promise<Mount | null> {
  const what = usersVenv(repository);
  const where = join(worktree, VENV);
  const isFree = !preserved.includes(VENV) && (await isEmptyOrAbsent(where));
  return what !== null && isEnvironment(what) && isFree ? { what, where, isWritable: false } : null;
}

/** Some tools write a file of that name, and a link of that name can lead to any folder. Sources: PEP 405, conda. */
export function isEnvironment(path: string): boolean {
  return existsSync(join(path, 'pyvenv.cfg')) || existsSync(join(path, 'conda-meta'));
}

async function isEmptyOrAbsent(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found === null || (found.isDirectory() && (await readdir(path)).length === 0);
}

/** Where uv keeps the user's own Pythons. */
function usersPythons(environment: Readonly<Record<string, string>>): string {
  const home = environment.HOME ?? homedir();
  return environment.UV_PYTHON_INSTALL_DIR ?? join(home, '.local', 'share', 'uv', 'python');
}

/** Where uv puts the Pythons it fetches for an environment of the study's own: home is gone with each run. */
function pythonsBeside(venv: string): string {
  return `${venv}-pythons`;
}

/** The study's own folder of Pythons, in which the user's are links: uv looks in one folder only, and home is read-only. */
export async function linkPythons(own: Readonly<Record<string, string>>): Promise<string> {
  const folder = pythonsBeside(own.UV_PROJECT_ENVIRONMENT ?? '');
  const users = usersPythons(own);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(users).catch(() => [])) {
    // What else lies there is uv's bookkeeping.
    if (/^(?:cpython|pypy|graalpy)-/.test(name))
      await symlink(join(users, name), join(folder, name)).catch(() => {});
  }
  return folder;
}

/**
 * The environment uv makes of the study's own where the user has none. The baseline makes it, which takes the network; from
 * then on no training may change what the later ones run in, but where the contract lets proposals change what is in it.
 */
export function ownVenv(
  { contract, repository, hasBaseline }: Project & { readonly hasBaseline: boolean },
  environment: Readonly<Record<string, string>>,
): { readonly folders: readonly string[]; readonly isWritable: boolean } | null {
  const path = environment.UV_PROJECT_ENVIRONMENT;
  const { train, setup } = contract;
  if (usersVenv(repository) !== null || !usesUv(`${train} ${setup ?? ''}`) || !path) return null;
  const isEditable = matchEditable(contract.editable);
  const isFixed = !isEditable('pyproject.toml') && !isEditable('uv.lock');
  // One whose Python is gone has to be mended; a script's own environment is none of the project's.
  const isBroken = existsSync(join(path, 'pyvenv.cfg')) && !existsSync(join(path, 'bin', 'python'));
  const isMade = hasBaseline && !isBroken;
  return { folders: [path, pythonsBeside(path)], isWritable: !isFixed || !isMade };
}

/** uv's environment as a program sees it that only reads it: the study's own, made by the baseline, or the user's. */
export async function pythonEnvironmentOf({
  contract,
  repository,
  environment,
}: Project & {
  readonly environment: Readonly<Record<string, string>>;
}): Promise<{
  readonly variables: Readonly<Record<string, string>>;
  readonly programs: readonly string[];
  readonly reads: readonly string[];
  /** To be mounted, for they lie in Pawl's own data. */
  readonly folders: readonly string[];
}> {
  const uv = environment.UV_PROJECT_ENVIRONMENT;
  const programs = uv ? [join(uv, 'bin', 'python')] : [];
  const own = ownVenv({ contract, repository, hasBaseline: true }, environment);
  if (!own) return { variables: {}, programs, reads: uv ? [uv] : [], folders: [] };
  const variables = { UV_NO_SYNC: '1', UV_PYTHON_INSTALL_DIR: await linkPythons(environment) };
  return { variables, programs, reads: [], folders: own.folders.filter(existsSync) };
}
