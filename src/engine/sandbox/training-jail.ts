import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import type { Contract } from '../../shared/contract.ts';
import { findProgram, firstProgram } from '../contract/find-command.ts';
import type { Jail } from './jail.ts';

/** Each is a mount and takes a third of a millisecond; those left over are compared after the run, as all are. */
export const MAX_SEALED = 50;

/** Variables that name folders a training reads. */
const READ_VARIABLES = [
  ...['VIRTUAL_ENV', 'CONDA_PREFIX', 'PYENV_ROOT', 'PYTHONHOME', 'PYTHONPATH', 'LD_LIBRARY_PATH'],
  ...['CUDA_HOME', 'CUDA_PATH', 'HF_HOME', 'HF_HUB_CACHE', 'HF_DATASETS_CACHE', 'UV_PYTHON_INSTALL_DIR'],
];

export type JailInput = {
  readonly contract: Contract;
  readonly worktree: string;
  /** Paths below the worktree that a training must not change. */
  readonly locked: readonly string[];
  /** Pawl's own data, which holds the worktree. */
  readonly dataFolder: string;
  /** Folder of caches that the study's runs share. */
  readonly caches: string;
  /** What the training is given. */
  readonly environment: Readonly<Record<string, string>>;
  /** uv's environment, where uv may write it; null where it may not. */
  readonly writableVenv: string | null;
  readonly network: boolean;
  readonly home: string;
  readonly devices: readonly string[];
};

/** Caches of compilers and libraries, away from home, with the variables that lead there. */
export function cacheVariables(caches: string, network: boolean): Readonly<Record<string, string>> {
  return {
    XDG_CACHE_HOME: caches,
    TORCHINDUCTOR_CACHE_DIR: join(caches, 'torchinductor'),
    TRITON_CACHE_DIR: join(caches, 'triton'),
    UV_CACHE_DIR: join(caches, 'uv'),
    ...(network ? {} : { HF_HUB_OFFLINE: '1', UV_OFFLINE: '1' }),
  };
}

/**
 * The jail of one run: the worktree is writable but for its locked files, and so are the study's caches; home is empty but
 * for programs on the PATH, the Python they need, and what the contract names.
 */
export async function trainingJail(input: JailInput): Promise<Jail> {
  const { contract, environment, home, caches, writableVenv } = input;
  for (const folder of [caches, writableVenv]) if (folder !== null) await mkdir(folder, { recursive: true });
  const uv = environment.UV_PROJECT_ENVIRONMENT;
  const programs = (environment.PATH ?? '').split(':').filter(isAbsolute);
  const command = firstProgram(contract.train);
  const own = command === null ? null : await findProgram(command, environment.PATH ?? '');
  const named = READ_VARIABLES.flatMap(name => (environment[name] ?? '').split(':')).filter(isAbsolute);
  const pythons = [own, ...(uv ? [join(uv, 'bin', 'python')] : [])].filter(path => path !== null);
  const readable = [
    ...programs.map(folder => installationOf(folder, home)),
    ...(await Promise.all(pythons.map(path => installationOfProgram(path, home)))).flat(),
    ...named,
    ...(uv && writableVenv === null ? [uv] : []),
    join(home, '.local', 'share', 'uv'),
    ...contract.sandbox.reads.map(path => (path.startsWith('~/') ? join(home, path.slice(2)) : path)),
  ];
  const hidden = unique(['/home', '/root', home].filter(path => existsSync(path)));
  // The rest of the system is readable anyway; a whole home is never.
  const isWorthNaming = (path: string) =>
    path !== home && ['/tmp', '/run', ...hidden].some(folder => path !== folder && isBelow(path, folder));
  return {
    hidden,
    // What cannot be reached is of no use to a program of the same user, and bwrap would give up over it.
    readable: unique(readable.filter(isWorthNaming)).filter(path => existsSync(path)),
    secret: [input.dataFolder],
    writable: [input.worktree, caches, ...(writableVenv === null ? [] : [writableVenv])],
    sealed: topmost(input.locked).map(path => join(input.worktree, path)),
    network: input.network,
    cwd: input.worktree,
    devices: input.devices,
  };
}

/** What a folder of programs belongs to: `~/.pyenv` for `~/.pyenv/shims`; a folder that is shared stays by itself. */
function installationOf(folder: string, home: string): string {
  const parent = dirname(folder);
  const isOwn = /^(?:bin|shims|condabin)$/.test(basename(folder));
  return isOwn && parent !== home && parent !== join(home, '.local') ? parent : folder;
}

/** A program and what it is a link to, each with its installation. */
async function installationOfProgram(path: string, home: string): Promise<readonly string[]> {
  const target = await realpath(path).catch(() => path);
  return [path, target].map(found => installationOf(dirname(found), home));
}

/** What decides about a run lies near the top: `prepare.py`, `pawl.toml`. */
function topmost(paths: readonly string[]): readonly string[] {
  const depth = (path: string) => path.split('/').length;
  return [...paths].sort((a, b) => depth(a) - depth(b)).slice(0, MAX_SEALED);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)];
}
