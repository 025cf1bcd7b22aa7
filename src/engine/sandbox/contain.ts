import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Contract, Swap } from '../../shared/contract/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { matchEditable } from '../contract/editable.ts';
import { namedDataFolders } from '../contract/named-data.ts';
import { listTree, type Repository, readBlob } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { TRACKERS_OFFLINE, trainingEnvironment } from '../process/environment.ts';
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
import { showLibrarySettings } from './library-settings.ts';
import { type ModelAccess, type ModelWay, wayByPort, wayBySocket } from './model-access.ts';
import { linkPythons, ownVenv, usedEnvironments, usersVenv, venvInWorktree } from './python-environments.ts';
import { pythonPathOf } from './python-path.ts';
import { CACHES } from './run-caches.ts';
import { MAX_SINGLE_SEALS, type Seals, topmost } from './seals.ts';
import { cacheVariables, keptFrom, trainingJail } from './training-jail.ts';
import { giveTo } from './unprivileged.ts';

/** In a lane's folder: private trees of data caches. */
export const DATA_VIEW = 'data';

/** The circumstances of a training: the same for a running study and for a check. */
export type Place = {
  readonly contract: Contract;
  readonly repository: Repository;
  readonly paths: DataPaths;
  /** The study's folder, with its environments. */
  readonly folder: string;
  /** The lane's folder, with its caches and its view of the data. */
  readonly laneFolder: string;
  /** Without symbolic links. */
  readonly worktree: string;
  readonly seals: Seals;
  readonly preserved: readonly string[];
  /** git's own record of the worktree; null if there is none. */
  readonly adminDir: string | null;
  /** Whether the baseline has run; it creates uv's environment, if uv makes one. */
  readonly hasBaseline: boolean;
  /** The folders that the repository calls its data; see `namedDataFolders`. */
  readonly namedData: readonly string[];
  /** The model that it may ask; null if its contract names none, or nothing is running. */
  readonly model: ModelAccess | null;
  /** Data that is swapped for this run. */
  readonly swaps: readonly Swap[];
  readonly userEnvironment: NodeJS.ProcessEnv;
};

export type Contained = {
  readonly environment: Readonly<Record<string, string>>;
  /** Program and arguments that contain the training. */
  readonly argv: readonly [string, ...string[]];
};

/**
 * What a training sees, with uv pointed at the user's own environment where there is one.
 * @param place with the files of the folder it runs in, and where it finds that folder; `folder` is null on another machine, where
 * uv makes an environment in the run's worktree
 */
export function environmentOf(
  {
    contract,
    repository,
    folder,
    userEnvironment,
    worktree,
    shownAt = worktree,
  }: Pick<Place, 'contract' | 'repository' | 'userEnvironment'> & {
    readonly folder: string | null;
    readonly worktree: string;
    readonly shownAt?: string;
  },
  marker: string,
): Record<string, string> {
  const own = usersVenv(repository);
  const environments = usedEnvironments(repository, userEnvironment);
  const files = { files: worktree, shownAt };
  const pythonPath = pythonPathOf(userEnvironment.PYTHONPATH, environments, repository.path, files);
  const training = trainingEnvironment({
    user: userEnvironment,
    // If Pawl asks the model for it, it gets none of the user's keys.
    named: contract.environment.filter(name => contract.model === null || !/^ANTHROPIC_/i.test(name)),
    marker,
    uvProjectEnvironment: own ?? (folder && join(folder, 'venv')),
    // The user's environment is used as it is: synchronising it would change the checkout.
    uvMaySync: own === null,
  });
  return pythonPath === undefined ? training : { ...training, PYTHONPATH: pythonPath };
}

/** git refuses repositories of another user, and if Pawl is root, the repository belongs to root. */
export function safeDirectories({ identity }: Bubblewrap): Readonly<Record<string, string>> {
  return identity
    ? { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }
    : {};
}

/** Whether an edit can change another file than the program: one whose functions `datasets` knows only by their names. */
function canEditModules({ editable: [first = '', ...others], train }: Contract): boolean {
  return others.length > 0 || !train.split(/\s+/).some(word => basename(word) === basename(first));
}

/**
 * Builds the jail of a run, and the files that it needs.
 * @param own the environment that the training would have without a sandbox
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
  const isMadeShown = !canEditModules(contract);
  const data = await viewDataCaches(found, join(laneFolder, DATA_VIEW), sandbox.identity, isMadeShown);
  const model = place.model && (await wayOf(place.model, network, own));
  const environment: Readonly<Record<string, string>> = {
    ...(network ? {} : TRACKERS_OFFLINE),
    ...own,
    ...cacheVariables(caches, network),
    ...data.variables,
    TMPDIR: '/tmp',
    ...(venv && !venv.isWritable ? { UV_NO_SYNC: '1' } : {}),
    ...(venv ? { UV_PYTHON_INSTALL_DIR: await linkPythons(own) } : {}),
    ...safeDirectories(sandbox),
    ...model?.variables,
  };
  const settings = await showLibrarySettings(own, home, caches);
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
      settings,
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

/** A jail that was tried, and why it does not work; null if it works. */
export async function containAndTry(
  place: Place,
  sandbox: Bubblewrap,
  own: Readonly<Record<string, string>>,
): Promise<Contained & { readonly fault: string | null }> {
  const first = await contain(place, sandbox, own);
  if ((await trySandbox(first.argv, first.environment)) === null) return { ...first, fault: null };
  // A socket to be masked may have disappeared, and then nothing can be mounted on it.
  const again = await contain(place, sandbox, own);
  return { ...again, fault: await trySandbox(again.argv, again.environment) };
}

/** How a contained run asks its model. Rejects with `cannot_train` if nothing can forward its requests. */
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

/** The system's Python, which every jail shows, is preferred to one of the user's. */
export async function findForwarderPython(path: string): Promise<string | null> {
  return existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : findProgram('python3', path);
}

const SYSTEM_PYTHON = '/usr/bin/python3';
export const NO_FORWARDER =
  'A contained training asks its model through a program in Python, and python3 was not found. Install it (Debian: apt-get install python3).';

/** A folder that only contained programs write belongs to their user from the start. */
async function giveFolder(identity: NonNullable<Bubblewrap['identity']>, path: string): Promise<void> {
  const { uid } = await stat(path);
  if (uid !== identity.uid) await giveTo(identity, path, new Set());
}

/** Folders that the repository's `prepare.py` calls its data. Ignored if a proposal may change that file. */
function findNamedData(
  preparePy: string | null,
  { editable }: Contract,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  if (preparePy === null || matchEditable(editable)('prepare.py')) return [];
  return namedDataFolders(preparePy, environment.HOME ?? homedir(), environment);
}

/** A commit's files, and the text of its `prepare.py`, or null. */
export type CommitFiles = {
  readonly tree: Awaited<ReturnType<typeof listTree>>;
  readonly preparePy: string | null;
};

/** @param tree the commit's tree, if already known */
export async function readCommitFiles(
  repository: Repository,
  commit: string,
  tree?: CommitFiles['tree'],
): Promise<CommitFiles> {
  const files = tree ?? (await listTree(repository, commit));
  // At the top, else in the only folder that has one, as for the repository's shape.
  const all = files.map(({ path }) => path).filter(path => /(?:^|\/)prepare\.py$/.test(path));
  const path = all.find(other => other === 'prepare.py') ?? (all.length === 1 ? all[0] : undefined);
  const preparePy = path === undefined ? null : await readBlob(repository, commit, path);
  return { tree: files, preparePy: preparePy?.toString('utf8') ?? null };
}

export type Trial = {
  /** The sandbox of trainings; null for none. */
  readonly sandbox: Bubblewrap | null;
  /** Why nothing can be contained, and how to fix that; null if it works, or is not wanted. */
  readonly why: string | null;
  /** Why the sandbox does not see the training command although it exists outside; null if it does. */
  readonly hiddenCommand: string | null;
  readonly data: readonly DataCache[];
  /** The folders that the repository calls its data, whether they exist or not. */
  readonly namedData: readonly string[];
};

/**
 * Tries the jail that a study of this commit would have, with an empty replacement for its worktree: does it start,
 * does the GPU's driver answer, is the command there? Changes nothing.
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
    for (let tries = 1; ; tries += 1) {
      const { argv, environment, fault } = await containAndTry(place, sandbox, own);
      if (fault !== null) return none(fault);
      const hiddenCommand = await findHiddenCommand(contract.train, argv, environment);
      if (hiddenCommand !== undefined || tries === MAX_TRIES)
        return { sandbox, why: null, hiddenCommand: hiddenCommand ?? null, data, namedData };
    }
  } finally {
    await removeScratch(scratch);
  }
}

/** Empty files in place of those that a jail would seal. */
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
  // No more files than a jail seals.
  const sealed = locked === null ? topmost(paths, MAX_SINGLE_SEALS) : [];
  for (const path of sealed) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), '');
  }
  return { folders: [], files: sealed };
}

/** A socket to be masked can disappear between a trial and the next use of the same sandbox. */
const MAX_TRIES = 3;
/** How the shell inside says that there is no such command; bubblewrap itself ends with 1. */
const IS_HIDDEN = 77;

/**
 * A program that exists outside but not, under the same name, inside; null if it is there. Undefined if that is not known,
 * because the sandbox could not be built this time.
 */
async function findHiddenCommand(
  train: string,
  argv: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): Promise<string | null | undefined> {
  const program = firstProgram(train);
  if (program === null || (program.includes('/') && !program.startsWith('/'))) return null;
  const outside = await findProgram(program, environment.PATH ?? '');
  if (outside === null) return null;
  const look = ['/bin/sh', '-c', `command -v -- "$0" || exit ${IS_HIDDEN}`, program];
  const code = await runContained(argv, look, environment);
  if (code === 0) return null;
  return code === IS_HIDDEN ? outside : undefined;
}
