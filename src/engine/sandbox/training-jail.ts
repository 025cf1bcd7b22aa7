import { existsSync } from 'node:fs';
import { mkdir, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import type { Contract } from '../../shared/contract.ts';
import { findProgram, firstProgram } from '../contract/find-command.ts';
import type { Jail } from './jail.ts';

/** Each is a mount and takes a third of a millisecond; those left over are compared after the run, as all are. */
export const MAX_SEALED = 50;

/** As many as the system follows itself. */
const MAX_LINKS = 40;

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
  /** Of the repository's own git folder what a program needs to name the commit; not its configuration. */
  readonly history: readonly string[];
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
  const { contract, environment, caches, writableVenv } = input;
  for (const folder of [caches, writableVenv]) if (folder !== null) await mkdir(folder, { recursive: true });
  // A mount needs the real name; a program may come by the other.
  const real = (path: string) => realpath(path).catch(() => resolve(path));
  const home = await real(input.home);
  const hidden = unique(
    await Promise.all(['/home', '/root', input.home].filter(existsSync).map(real)),
  ).filter(path => path !== '/');
  const uv = environment.UV_PROJECT_ENVIRONMENT;
  const folders = (environment.PATH ?? '').split(':').filter(isAbsolute);
  const named = READ_VARIABLES.flatMap(name => (environment[name] ?? '').split(':')).filter(isAbsolute);
  const program = firstProgram(contract.train);
  const programs = [
    ...wordsOf(contract.train, input.home),
    ...(program === null ? [] : [(await findProgram(program, environment.PATH ?? '')) ?? '']),
    ...(uv ? [join(uv, 'bin', 'python')] : []),
  ].filter(isAbsolute);
  const wanted = [
    ...folders.map(installationOf),
    ...(await Promise.all(programs.map(linksOf)))
      .flat()
      .flatMap(path => [path, installationOf(dirname(path))]),
    ...named,
    ...(uv && writableVenv === null ? [uv] : []),
    ...['.local/share/uv', '.local/lib'].map(path => join(input.home, path)),
    ...contract.sandbox.reads.map(path => (path.startsWith('~/') ? join(input.home, path.slice(2)) : path)),
    ...input.history,
  ];
  // The rest of the system is readable anyway; a whole home never is, whosever it is.
  const isHome = (path: string) => isBelow(home, path) || dirname(path) === '/home';
  const isWorthNaming = (path: string) =>
    ['/tmp', '/run', ...hidden].some(folder => path !== folder && isBelow(path, folder));
  const readable: string[] = [];
  for (const path of wanted) {
    const target = await real(path);
    if (!isHome(target)) readable.push(...[resolve(path), target].filter(isWorthNaming));
  }
  return {
    hidden,
    // What cannot be reached is of no use to a program of the same user, and bwrap would give up over it.
    readable: unique(readable).filter(path => existsSync(path)),
    secret: [await real(input.dataFolder)],
    writable: await Promise.all(
      [input.worktree, caches, ...(writableVenv === null ? [] : [writableVenv])].map(real),
    ),
    sealed: topmost(input.locked).map(path => join(input.worktree, path)),
    network: input.network,
    cwd: input.worktree,
    devices: input.devices,
  };
}

/** Absolute paths in a command line, and those below home. */
function wordsOf(command: string, home: string): readonly string[] {
  const words = command.match(/"[^"]*"|'[^']*'|[^\s"';|&()<>]+/g) ?? [];
  return words
    .map(word => word.replace(/^["']|["']$/g, '').replace(/^[A-Za-z_]\w*=/, ''))
    .map(word => word.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/)/, home))
    .filter(word => isAbsolute(word) && word !== '/');
}

/**
 * What a folder of programs belongs to: `~/.pyenv` for `~/.pyenv/shims`. Only what is known to be an installation: beside
 * another `bin` may lie keys and sockets.
 */
function installationOf(folder: string): string {
  const parent = dirname(folder);
  if (!/^(?:bin|shims|condabin)$/.test(basename(folder))) return folder;
  const isInstallation = [
    'pyvenv.cfg',
    'conda-meta',
    'lib/node_modules',
    'shims',
    'versions',
    'include',
  ].some(name => existsSync(join(parent, name)));
  return isInstallation ? parent : folder;
}

/** A program and everything it is a link to, one after the other. */
async function linksOf(path: string): Promise<readonly string[]> {
  const found = [path];
  for (let at = path; found.length < MAX_LINKS; ) {
    const next = await readlink(at).catch(() => null);
    if (next === null) break;
    at = resolve(dirname(at), next);
    found.push(at);
  }
  return found;
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
