import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import type { Contract } from '../../shared/contract.ts';
import type { Repository } from '../git/repository.ts';
import { type DataPaths, isBelow } from '../paths.ts';
import { memoryBytesOf } from '../process/limits.ts';
import { type Contained, safeDirectories } from './contain.ts';
import { findDataCaches, tokenFiles, viewDataCaches } from './data-caches.ts';
import { type Bubblewrap, containedBy } from './find-sandbox.ts';
import { homeView, real } from './home-view.ts';
import { EMPTY_JAIL, type Jail, type Mount } from './jail.ts';
import { pythonEnvironmentOf, venvInWorktree } from './python-environments.ts';
import { shownFiles } from './shown.ts';
import { reachableSockets } from './sockets.ts';
import { cacheVariables } from './training-jail.ts';
import { giveTo } from './unprivileged.ts';
import { inHome, withhold } from './withheld.ts';

export type ScorePlan = {
  readonly contract: Contract;
  readonly repository: Repository;
  readonly paths: DataPaths;
  readonly userEnvironment: NodeJS.ProcessEnv;
  readonly namedData: readonly string[];
  readonly command: string;
  /** Where the program believes its checkout to be: where the training had it, so that what the set-up made finds it. */
  readonly worktree: string;
  /** What lies there instead. */
  readonly checkout: string;
  /** Paths in the worktree that the set-up command left, and no training may write. */
  readonly preserved: readonly string[];
  /** Paths in those that a training may write: they are empty here. */
  readonly emptied: readonly string[];
  /** Files that the training left; its path is the same inside. */
  readonly artifacts: string;
  /** An empty folder, for caches and stand-ins that nobody else uses. */
  readonly own: string;
  /** What else it may read, and what it must not, from the contract. */
  readonly reads: readonly string[];
  readonly withheld: readonly string[];
};

/**
 * The jail of a program that scores, or answers for the model: nothing in it is writable but caches of its own, /tmp and the
 * like, there is no network, and of the training there are only the artifacts.
 * @param seen what the program would be given without a sandbox
 */
export async function containScore(
  plan: ScorePlan,
  sandbox: Bubblewrap,
  seen: Readonly<Record<string, string>>,
): Promise<Contained> {
  const { contract, repository, worktree, own, artifacts } = plan;
  const caches = join(own, 'caches');
  await mkdir(caches, { recursive: true });
  const home = seen.HOME ?? homedir();
  const found = await findDataCaches(seen, home, plan.namedData);
  const data = await viewDataCaches(found, join(own, 'data'), sandbox.identity);
  const python = await pythonEnvironmentOf({ contract, repository, environment: seen });
  const environment: Readonly<Record<string, string>> = {
    WANDB_MODE: 'offline',
    ...seen,
    ...cacheVariables(caches, false),
    ...data.variables,
    TMPDIR: '/tmp',
    ...python.variables,
    ...safeDirectories(sandbox),
  };
  const places = await Promise.all(data.folders.map(real));
  const reads = await Promise.all(
    [...contract.sandbox.reads, ...plan.reads].map(path => real(inHome(path, home))),
  );
  // What lies in a cache of data is let in with it, and is a link there.
  const apart = reads.filter(path => !places.some(folder => isBelow(path, folder)));
  const view = await homeView({
    ...{ home, environment, command: plan.command, programs: python.programs },
    reads: [...python.reads, ...apart, ...data.folders],
    ...{ checkout: [repository.path, repository.gitDir], dataFolder: plan.paths.home, standIns: data.places },
  });
  const venv = await venvInWorktree({ repository, worktree: plan.checkout, preserved: plan.preserved });
  // Nothing can be made for it in what is mounted read-only.
  if (venv) await mkdir(venv.where, { recursive: true });
  const readOnly = (what: string, where = what): Mount => ({ what, where, isWritable: false });
  const inWorktree = (path: string) => join(worktree, path);
  const mounts: readonly Mount[] = [
    ...data.mounts,
    readOnly(plan.checkout, worktree),
    ...plan.preserved.map(path => readOnly(inWorktree(path))),
    ...(venv ? [readOnly(venv.what, inWorktree(relative(plan.checkout, venv.where)))] : []),
    ...python.folders.map(path => readOnly(path)),
    readOnly(artifacts),
    { what: caches, where: caches, isWritable: true },
  ];
  const whole: Omit<Jail, 'masked'> = {
    ...EMPTY_JAIL,
    ...view,
    hidden: [...view.hidden, ...plan.emptied.map(inWorktree)],
    mounts,
    // What is mounted brings its own.
    links: view.links.filter(([, at]) => !mounts.some(({ where }) => isBelow(at, where))),
    emptyBytes: sandbox.sizesFolders ? Math.floor(memoryBytesOf(contract.limits) / 2) : null,
    ...{ cwd: worktree, devices: sandbox.devices },
  };
  const { withheld, ...jail } = await withhold(whole, plan.withheld, home);
  const secrets = await shownFiles(jail, tokenFiles(plan.userEnvironment, home));
  const masked = [...secrets, ...withheld, ...(await reachableSockets(jail, reads))];
  const { identity } = sandbox;
  if (identity)
    for (const path of [caches, plan.checkout, artifacts]) await giveTo(identity, path, new Set());
  return { environment, argv: containedBy(sandbox, { ...jail, masked }) };
}
