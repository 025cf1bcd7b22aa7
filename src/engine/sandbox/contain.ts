import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Contract, Swap } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { matchEditable } from '../contract/editable.ts';
import { namedDataFolders } from '../contract/named-data.ts';
import { listTree, type Repository, readBlob } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { trainingEnvironment } from '../process/environment.ts';
import { findProgram, firstProgram } from '../process/find-program.ts';
import { memoryBytesOf } from '../process/limits.ts';
import { makeScratch, removeScratch } from '../scratch.ts';
import { type DataCache, findDataCaches, viewDataCaches } from './data-caches.ts';
import {
  type Bubblewrap,
  containedBy,
  findSandbox,
  runContained,
  sandboxMode,
  trySandbox,
} from './find-sandbox.ts';
import { real } from './home-view.ts';
import { type ModelAccess, type ModelWay, wayByPort, wayBySocket } from './model-access.ts';
import { linkPythons, ownVenv, usersVenv, venvInWorktree } from './python-environments.ts';
import { pythonPathOf } from './python-path.ts';
import { CACHES } from './run-caches.ts';
import { MAX_SINGLE_SEALS, type Seals, topmost } from './seals.ts';
import { cacheVariables, keptFrom, trainingJail } from './training-jail.ts';
import { giveTo } from './unprivileged.ts';

/** In a lane's folder: the private trees of data caches. */
export const DATA_VIEW = 'data';

/** What a training is contained in: the same for a study that runs and for one that is only looked at. */
export type Place = {
  readonly contract: Contract;
  readonly repository: Repository;
  readonly paths: DataPaths;
  /** Of the study, with its environments. */
  readonly folder: string;
  /** Of the lane, with its caches and its view of the data. */
  readonly laneFolder: string;
  /** Without symbolic links. */
  readonly worktree: string;
  readonly seals: Seals;
  readonly preserved: readonly string[];
  /** git's own record of the worktree; null where there is none. */
  readonly adminDir: string | null;
  /** Whether the baseline is there; it makes uv's environment, if uv makes one. */
  readonly hasBaseline: boolean;
  /** What the repository calls its data; see `namedDataFolders`. */
  readonly namedData: readonly string[];
  /** The model that it may ask; null where its contract names none, or nothing runs. */
  readonly model: ModelAccess | null;
  /** Data that this run finds exchanged. */
  readonly swaps: readonly Swap[];
  readonly userEnvironment: NodeJS.ProcessEnv;
};

export type Contained = {
  readonly environment: Readonly<Record<string, string>>;
  /** Program and arguments the training is run behind. */
  readonly argv: readonly [string, ...string[]];
};

/**
 * What a training sees, with uv pointed at the user's own environment where there is one.
 * @param place with the folder it runs in, where that is on this machine
 */
export function environmentOf(
  {
    contract,
    repository,
    folder,
    userEnvironment,
    worktree,
  }: Pick<Place, 'contract' | 'repository' | 'folder' | 'userEnvironment'> & {
    readonly worktree: string | null;
  },
  marker: string,
): Record<string, string> {
  const own = usersVenv(repository);
  const { VIRTUAL_ENV, CONDA_PREFIX, PYTHONPATH } = userEnvironment;
  const environments = [own, VIRTUAL_ENV, CONDA_PREFIX].filter(path => path != null);
  const pythonPath =
    worktree === null
      ? PYTHONPATH
      : pythonPathOf(PYTHONPATH, [...new Set(environments)], repository.path, worktree);
  const training = trainingEnvironment({
    user: userEnvironment,
    // Beside the model that Pawl asks for it no key of the user's has a place.
    named: contract.environment.filter(name => contract.model === null || !/^ANTHROPIC_/i.test(name)),
    marker,
    uvProjectEnvironment: own ?? join(folder, 'venv'),
    // The user's environment is used as it is: synchronising it would write in their checkout.
    uvMaySync: own === null,
  });
  return pythonPath === undefined ? training : { ...training, PYTHONPATH: pythonPath };
}

/** git looks at nothing that somebody else owns, and where Pawl is root the repository is root's. */
export function safeDirectories({ identity }: Bubblewrap): Readonly<Record<string, string>> {
  return identity
    ? { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }
    : {};
}

/**
 * Builds the jail of a run, and what it needs on disk.
 * @param own what the training would be given without a sandbox
 */
export async function contain(
  place: Place,
  sandbox: Bubblewrap,
  own: Readonly<Record<string, string>>,
): Promise<Contained> {
  const { contract, repository, laneFolder, worktree, preserved } = place;
  const caches = join(laneFolder, CACHES);
  const venv = ownVenv(place, own);
  const network = contract.sandbox.network || venv?.isWritable === true;
  const home = own.HOME ?? homedir();
  const found = await findDataCaches(own, home, place.namedData);
  const data = await viewDataCaches(found, join(laneFolder, DATA_VIEW), sandbox.identity);
  const model = place.model && (await wayOf(place.model, network, own));
  const environment: Readonly<Record<string, string>> = {
    ...(network ? {} : { WANDB_MODE: 'offline' }),
    ...own,
    ...cacheVariables(caches, network),
    ...data.variables,
    TMPDIR: '/tmp',
    ...(venv && !venv.isWritable ? { UV_NO_SYNC: '1' } : {}),
    ...(venv ? { UV_PYTHON_INSTALL_DIR: await linkPythons(own) } : {}),
    ...safeDirectories(sandbox),
    ...model?.variables,
  };
  const jail = await trainingJail({
    ...{
      contract,
      worktree,
      seals: place.seals,
      caches,
      preserved,
      venv,
      network,
      data,
      home,
      model,
      swaps: place.swaps,
      usersVenv: await venvInWorktree(place),
    },
    checkout: [repository.path, repository.gitDir],
    ...{ environment, userEnvironment: place.userEnvironment, devices: sandbox.devices },
    dataFolder: place.paths.home,
    emptyBytes: sandbox.sizesFolders ? Math.floor(memoryBytesOf(contract.limits) / 2) : null,
    history: [
      ...['HEAD', 'refs', 'objects', 'packed-refs'].map(name => join(repository.gitDir, name)),
      ...(place.adminDir === null ? [] : [place.adminDir]),
    ],
  });
  if (sandbox.identity) {
    const kept = new Set(keptFrom(contract, preserved).map(path => join(worktree, path)));
    await giveTo(sandbox.identity, worktree, kept);
    for (const path of [...jail.writable, ...jail.opened]) await giveFolder(sandbox.identity, path);
  }
  return { environment, argv: [...containedBy(sandbox, jail), ...(model?.argv ?? [])] };
}

/** A jail that was tried, and why it does not work; null where it does. */
export async function containAndTry(
  place: Place,
  sandbox: Bubblewrap,
  own: Readonly<Record<string, string>>,
): Promise<Contained & { readonly fault: string | null }> {
  const first = await contain(place, sandbox, own);
  if ((await trySandbox(first.argv, first.environment)) === null) return { ...first, fault: null };
  // A socket that was to be masked may have gone meanwhile, and then nothing can be mounted on it.
  const again = await contain(place, sandbox, own);
  return { ...again, fault: await trySandbox(again.argv, again.environment) };
}

/** How a contained run asks its model. Rejects with `cannot_train` where nothing could hand on what it asks. */
async function wayOf(
  access: ModelAccess,
  network: boolean,
  own: Readonly<Record<string, string>>,
): Promise<ModelWay> {
  if (network) return wayByPort(access, own);
  const python = await findForwarderPython(own.PATH ?? '');
  if (python !== null) return wayBySocket(access, python, own);
  throw new PawlError('cannot_train', NO_FORWARDER);
}

/** The system's own, which every jail shows, goes before one of the user's. */
export async function findForwarderPython(path: string): Promise<string | null> {
  return existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : findProgram('python3', path);
}

const SYSTEM_PYTHON = '/usr/bin/python3';
export const NO_FORWARDER =
  'A contained training asks its model through a program in Python, and python3 was not found. Install it (Debian: apt-get install python3).';

/** A folder that only contained programs write in is theirs from the first time on. */
async function giveFolder(identity: NonNullable<Bubblewrap['identity']>, path: string): Promise<void> {
  const { uid } = await stat(path);
  if (uid !== identity.uid) await giveTo(identity, path, new Set());
}

/** Folders that the repository's `prepare.py` calls its data. Not asked where a proposal may change that file. */
function findNamedData(
  preparePy: string | null,
  { editable }: Contract,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  if (preparePy === null || matchEditable(editable)('prepare.py')) return [];
  return namedDataFolders(preparePy, environment.HOME ?? homedir(), environment);
}

/** A commit's files, and what its `prepare.py` says; null where it has none. */
export type CommitFiles = {
  readonly tree: Awaited<ReturnType<typeof listTree>>;
  readonly preparePy: string | null;
};

/** @param tree of the commit, where it is known already */
export async function readCommitFiles(
  repository: Repository,
  commit: string,
  tree?: CommitFiles['tree'],
): Promise<CommitFiles> {
  const files = tree ?? (await listTree(repository, commit));
  // At the top, else in the only folder that has one: where the shape is in a folder, so is its data's name.
  const all = files.map(({ path }) => path).filter(path => /(?:^|\/)prepare\.py$/.test(path));
  const path = all.find(other => other === 'prepare.py') ?? (all.length === 1 ? all[0] : undefined);
  const preparePy = path === undefined ? null : await readBlob(repository, commit, path);
  return { tree: files, preparePy: preparePy?.toString('utf8') ?? null };
}

export type Trial = {
  /** What the trainings are contained with; null for nothing. */
  readonly sandbox: Bubblewrap | null;
  /** Why nothing can be contained, and how to fix it; null if it can, or if it is not wanted. */
  readonly why: string | null;
  /** Why the training command would not be found in the sandbox, though it is outside of it; null where it would. */
  readonly hiddenCommand: string | null;
  readonly data: readonly DataCache[];
  /** What the repository calls its data, there or not. */
  readonly namedData: readonly string[];
};

/**
 * Tries the jail that a study of this commit has, with an empty stand-in for its worktree: does it start, does the GPU's
 * driver answer, is the command there? Changes nothing.
 */
export async function tryContainment(
  input: Pick<Place, 'contract' | 'repository' | 'paths' | 'userEnvironment'> & CommitFiles,
): Promise<Trial> {
  const { contract, repository, tree, preparePy, paths, userEnvironment } = input;
  const namedData = findNamedData(preparePy, contract, userEnvironment);
  const home = userEnvironment.HOME ?? homedir();
  const data = await findDataCaches(userEnvironment, home, namedData);
  const none = (why: string | null): Trial => ({ sandbox: null, why, hiddenCommand: null, data, namedData });
  if (sandboxMode(contract, userEnvironment) === 'off') return none(null);
  const sandbox = await findSandbox(userEnvironment);
  if (sandbox.kind === 'none') return none(sandbox.why);
  const scratch = await real(await makeScratch(paths.scratch, 'trial'));
  try {
    const place: Place = {
      ...{ contract, repository, paths, userEnvironment, namedData },
      ...{ folder: join(scratch, 'study'), laneFolder: join(scratch, 'study') },
      worktree: join(scratch, 'worktree'),
      ...{ preserved: [], adminDir: null, hasBaseline: false, model: null, swaps: [] },
      seals: await standInFor(tree, contract, join(scratch, 'worktree')),
    };
    const own = environmentOf(place, 'trial');
    const { argv, environment, fault } = await containAndTry(place, sandbox, own);
    if (fault !== null) return none(fault);
    const hiddenCommand = await findHiddenCommand(contract.train, argv, environment);
    return { sandbox, why: null, hiddenCommand, data, namedData };
  } finally {
    await removeScratch(scratch);
  }
}

/** Empty files in the place of those a jail would seal. */
async function standInFor(
  tree: CommitFiles['tree'],
  { editable, locked }: Contract,
  folder: string,
): Promise<Seals> {
  await mkdir(folder, { recursive: true });
  const isEditable = matchEditable(editable);
  const paths = tree
    .filter(({ mode, path }) => mode.startsWith('100') && !path.includes('\0') && !isEditable(path))
    .map(({ path }) => path);
  // No more than a jail seals.
  const sealed = locked === null ? topmost(paths, MAX_SINGLE_SEALS) : [];
  for (const path of sealed) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), '');
  }
  return { folders: [], files: sealed };
}

/** A program that is found outside, and by the same name not inside. */
async function findHiddenCommand(
  train: string,
  argv: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): Promise<string | null> {
  const program = firstProgram(train);
  if (program === null || (program.includes('/') && !program.startsWith('/'))) return null;
  const outside = await findProgram(program, environment.PATH ?? '');
  if (outside === null) return null;
  return (await runContained(argv, ['/bin/sh', '-c', 'command -v -- "$0"', program], environment))
    ? null
    : outside;
}
