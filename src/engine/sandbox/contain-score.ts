import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import type { Repository } from '../git/repository.ts';
import { type DataPaths, isBelow } from '../paths.ts';
import { TRACKERS_OFFLINE } from '../process/environment.ts';
import { memoryBytesOf } from '../process/limits.ts';
import { type Contained, safeDirectories } from './contain.ts';
import { findDataCaches, tokenFiles, viewDataCaches } from './data-caches.ts';
import { type Bubblewrap, containedBy } from './find-sandbox.ts';
import { homeView, real } from './home-view.ts';
import { EMPTY_JAIL, type Jail, type Mount } from './jail.ts';
import { showLibrarySettings } from './library-settings.ts';
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
  /** Where the program believes its checkout is: at the training's path, so that it finds what the set-up made. */
  readonly worktree: string;
  /** The folder mounted there. */
  readonly checkout: string;
  /** Paths in the worktree that the set-up command left, which no training may write. */
  readonly preserved: readonly string[];
  /** Paths among those that a training may write; they are empty here. */
  readonly emptied: readonly string[];
  /** Files that the training left, at the same path inside. */
  readonly artifacts: string;
  /** An empty folder for caches and replacements that no other program uses. */
  readonly own: string;
  /** What else it may read, and what it must not, from the contract. */
  readonly reads: readonly string[];
  readonly withheld: readonly string[];
};

/**
 * The jail of a program that scores, or that answers for the model: it can write only its own caches, /tmp and the
 * like, has no network, and sees only the training's artifacts.
 * @param seen the environment that the program would have without a sandbox
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
  const data = await viewDataCaches(found, join(own, 'data'), sandbox.identity, true);
  const python = await pythonEnvironmentOf({ contract, repository, environment: seen });
  const environment: Readonly<Record<string, string>> = {
    ...TRACKERS_OFFLINE,
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
  // A path inside a data cache comes with the cache, as a link.
  const apart = reads.filter(path => !places.some(folder => isBelow(path, folder)));
  const settings = await showLibrarySettings(seen, home, caches);
  const view = await homeView({
    ...{ home, environment, command: plan.command, programs: python.programs },
    reads: [...python.reads, ...apart, ...settings, ...data.folders],
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
    // A mount brings its own links.
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
