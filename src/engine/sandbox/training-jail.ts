import { chmod, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract, Swap } from '../../shared/contract/contract.ts';
import { matchPaths } from '../contract/editable.ts';
import { isBelow } from '../paths.ts';
import { OFFLINE } from '../process/environment.ts';
import { type DataMounts, tokenFiles } from './data-caches.ts';
import { exchange } from './exchange.ts';
import { homeView, real } from './home-view.ts';
import type { Jail, Mount } from './jail.ts';
import type { ModelWay } from './model-access.ts';
import { heldFolders, MAX_SINGLE_SEALS, type Seals, topmost } from './seals.ts';
import { shownFiles } from './shown.ts';
import { reachableSockets } from './sockets.ts';
import { inHome, withhold } from './withheld.ts';

export type JailInput = {
  readonly contract: Contract;
  readonly worktree: string;
  /** The parts of the worktree that a training must not change. */
  readonly seals: Seals;
  /** Files that the set-up command left there. */
  readonly preserved: readonly string[];
  /** The user's checkout and its git folder. */
  readonly checkout: readonly string[];
  /** Pawl's own data, which contains the worktree. */
  readonly dataFolder: string;
  /** A folder of caches for the study's runs. */
  readonly caches: string;
  /** The training's environment, and the user's. */
  readonly environment: Readonly<Record<string, string>>;
  readonly userEnvironment: Readonly<Record<string, string | undefined>>;
  /** Folders of the study's own uv environment; null if the user has one, or there is none. */
  readonly venv: { readonly folders: readonly string[]; readonly isWritable: boolean } | null;
  readonly network: boolean;
  /** How many bytes each initially empty folder can take, since it uses memory; null leaves that to the kernel. */
  readonly emptyBytes: number | null;
  /** Data caches, which the run can read but not change. */
  readonly data: DataMounts;
  /** Files with settings of libraries, which the run can read. */
  readonly settings: readonly string[];
  /** How it asks the contract's model; null if it asks none, or does so over the network. */
  readonly model: ModelWay | null;
  /** The parts of the git folder that a program needs to name the commit; not the configuration. */
  readonly history: readonly string[];
  readonly home: string;
  /** The environment in the user's checkout, in the place that commands name; null where there is none, or something else lies there. */
  readonly usersVenv: Mount | null;
  /** What is exchanged for this run. */
  readonly swaps: readonly Swap[];
  readonly devices: readonly string[];
};

/** Caches of compilers and libraries, outside the home folder, with the variables that point there. */
export function cacheVariables(caches: string, network: boolean): Readonly<Record<string, string>> {
  return {
    XDG_CACHE_HOME: caches,
    TORCHINDUCTOR_CACHE_DIR: join(caches, 'torchinductor'),
    TRITON_CACHE_DIR: join(caches, 'triton'),
    UV_CACHE_DIR: join(caches, 'uv'),
    // What cargo compiled for a program; the program itself stays in `target`.
    CARGO_BUILD_BUILD_DIR: join(caches, 'cargo'),
    // The library's own state, and where it would look for a token; the data has separate variables.
    HF_HOME: join(caches, 'huggingface'),
    ...(network ? {} : OFFLINE),
  };
}

/**
 * The jail of one run: the worktree is writable except for its locked files, and so are the study's caches; the home
 * folder is empty except for programs on the PATH, the Python they need, and what the contract names.
 */
export async function trainingJail(input: JailInput): Promise<Jail> {
  const { contract, environment, caches, venv } = input;
  for (const folder of [caches, ...(venv?.folders ?? [])]) await mkdir(folder, { recursive: true });
  // An earlier run may have removed the permissions.
  await chmod(caches, 0o700);
  const { folders, files } = input.seals;
  const apart = keptFrom(contract, input.preserved).filter(
    path => !folders.some(folder => isBelow(path, folder)),
  );
  const kept = topmost(apart, MAX_SINGLE_SEALS);
  const preserved = await plainPaths(input.worktree, kept);
  const inWorktree = (path: string) => join(input.worktree, path);
  const uv = environment.UV_PROJECT_ENVIRONMENT;
  const reads = contract.sandbox.reads.map(path => inHome(path, input.home));
  const view = await homeView({
    ...{ home: input.home, environment, command: contract.train },
    programs: uv ? [join(uv, 'bin', 'python')] : [],
    reads: [
      ...(uv && !venv ? [uv] : []),
      ...reads,
      ...input.settings,
      ...input.data.folders,
      ...input.history,
    ],
    ...{ checkout: input.checkout, dataFolder: input.dataFolder, standIns: input.data.places },
  });
  const whole: Omit<Jail, 'masked'> = {
    ...view,
    ...{ mounts: [...input.data.mounts, ...(input.model?.mounts ?? [])], made: [], exchanged: [] },
    writable: await Promise.all(
      [input.worktree, caches, ...(venv?.isWritable ? venv.folders : [])].map(real),
    ),
    held: heldFolders({ folders: [...folders, ...kept], files }).map(inWorktree),
    sealed: [
      ...[...folders, ...files, ...preserved].map(inWorktree),
      ...(await Promise.all((venv && !venv.isWritable ? venv.folders : []).map(real))),
    ],
    opened: (await plainPaths(input.worktree, openedIn(contract, preserved))).map(inWorktree),
    ...{ network: input.network, emptyBytes: input.emptyBytes },
    cwd: input.worktree,
    devices: input.devices,
  };
  const { withheld, ...jail } = await withhold(whole, contract.score?.reads ?? [], input.home);
  const secrets = await shownFiles(jail, tokenFiles(input.userEnvironment, input.home));
  const letIn = [...reads, ...(input.model?.mounts ?? []).map(({ what }) => what)];
  const masked = [...secrets, ...withheld, ...(await reachableSockets(jail, letIn))];
  const exchanged = await exchange(jail, input.swaps, input.worktree, input.home);
  return { ...jail, masked, exchanged: [...exchanged, ...(input.usersVenv ? [input.usersVenv] : [])] };
}

/** Files of the set-up command that a training may not write: all except those that the contract names. */
export function keptFrom(contract: Contract, preserved: readonly string[]): readonly string[] {
  const isNamed = matchPaths([...contract.sandbox.writes, ...contract.sandbox.writes.map(bare)]);
  return preserved.filter(path => !isNamed(path));
}

/** Paths that the contract names inside kept folders. */
export function openedIn(contract: Contract, kept: readonly string[]): readonly string[] {
  return contract.sandbox.writes
    .map(bare)
    .filter(path => !/[*?[\]{}]/.test(path) && kept.some(folder => path !== folder && isBelow(path, folder)));
}

/** `out` for `out/` and `out/**`. */
function bare(pattern: string): string {
  return pattern.replace(/\/(?:\*\*)?$/, '');
}

/** Those that exist and are reached through no link, because a mount on a link would land on its target. */
export async function plainPaths(folder: string, paths: readonly string[]): Promise<readonly string[]> {
  const isPlain = async (path: string) => {
    const place = join(folder, path);
    const found = await lstat(place).catch(() => null);
    return (found?.isFile() || found?.isDirectory()) === true && (await real(place)) === place;
  };
  const plain = await Promise.all(paths.map(isPlain));
  return paths.filter((_, place) => plain[place]);
}
