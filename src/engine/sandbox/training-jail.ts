import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../shared/contract.ts';
import { matchPaths } from '../contract/editable.ts';
import { homeView, real } from './home-view.ts';
import type { Jail } from './jail.ts';

/** Each is a mount and takes a third of a millisecond; those left over are compared after the run, as all are. */
export const MAX_SEALED = 50;

export type JailInput = {
  readonly contract: Contract;
  readonly worktree: string;
  /** Paths below the worktree that a training must not change. */
  readonly locked: readonly string[];
  /** What the set-up command left there, which is not compared. */
  readonly preserved: readonly string[];
  /** Pawl's own data, which holds the worktree. */
  readonly dataFolder: string;
  /** Folder of caches that the study's runs share. */
  readonly caches: string;
  /** What the training is given. */
  readonly environment: Readonly<Record<string, string>>;
  /** uv's environment of the study's own; null where the user has one, or there is none. */
  readonly venv: { readonly path: string; readonly isWritable: boolean } | null;
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
  const { contract, environment, caches, venv } = input;
  for (const folder of [caches, ...(venv ? [venv.path] : [])]) await mkdir(folder, { recursive: true });
  const isLeft = matchPaths(contract.sandbox.writes);
  const preserved = input.preserved.filter(path => !isLeft(path));
  const uv = environment.UV_PROJECT_ENVIRONMENT;
  const view = await homeView({
    ...{ home: input.home, environment, command: contract.train },
    programs: uv ? [join(uv, 'bin', 'python')] : [],
    reads: [
      ...(uv && !venv ? [uv] : []),
      ...contract.sandbox.reads.map(path => (path.startsWith('~/') ? join(input.home, path.slice(2)) : path)),
      ...input.history,
    ],
  });
  return {
    ...view,
    mounts: [],
    secret: [await real(input.dataFolder)],
    writable: await Promise.all([input.worktree, caches, ...(venv?.isWritable ? [venv.path] : [])].map(real)),
    held: foldersOf(topmost(input.locked)).map(path => join(input.worktree, path)),
    sealed: [
      ...[...topmost(input.locked), ...(await plainPaths(input.worktree, topmost(preserved)))].map(path =>
        join(input.worktree, path),
      ),
      ...(venv && !venv.isWritable ? [await real(venv.path)] : []),
    ],
    network: input.network,
    cwd: input.worktree,
    devices: input.devices,
  };
}

/** Those that are there and no links: a mount on a link would be one on what it points to. */
async function plainPaths(folder: string, paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map(path => lstat(join(folder, path)).catch(() => null)));
  return paths.filter((_, place) => found[place]?.isFile() || found[place]?.isDirectory());
}

/** What decides about a run lies near the top: `prepare.py`, `pawl.toml`. */
export function topmost(paths: readonly string[]): readonly string[] {
  const depth = (path: string) => path.split('/').length;
  return [...paths].sort((a, b) => depth(a) - depth(b)).slice(0, MAX_SEALED);
}

/** Every folder that one of the paths lies in, outermost first. */
export function foldersOf(paths: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) found.add(names.slice(0, depth).join('/'));
  }
  return [...found].sort((a, b) => a.length - b.length);
}
