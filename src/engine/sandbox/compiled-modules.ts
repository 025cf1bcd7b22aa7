import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import { matchEditable } from '../contract/editable.ts';
import { listTree, type Repository } from '../git/repository.ts';
import { isBelow } from '../paths.ts';
import { listOwn, namesIn, projectName, sitePackages } from './installed-projects.ts';
import { usedEnvironments } from './python-environments.ts';
import { importsOf } from './python-path.ts';

/** Languages that compilers turn into Python modules. */
const SOURCE = /\.(?:c|cc|cpp|cxx|cu|cuh|h|hpp|pyx|pxd|rs|f|f90)$/;
const MODULE = /\.(?:so|pyd)$/;
/** Commands that compile them. */
const BUILDS = /\b(?:build_ext|setup\.py|pip3? install|maturin|make|cmake|ninja|meson|cargo)\b/;

/**
 * Compiled modules that an editable install has put beside their sources in the checkout. A worktree imports from its own
 * folders, which lack them. None if the training compiles them itself.
 */
export async function findCompiledModules(
  repository: Repository,
  commit: string,
  contract: Pick<Contract, 'editable' | 'train'>,
  environment: NodeJS.ProcessEnv,
): Promise<{
  readonly modules: readonly string[];
  /** A source in a compiled language that an edit may change: then they cannot stand in for what it becomes. */
  readonly editableSource: string | null;
}> {
  const none = { modules: [], editableSource: null };
  const environments = usedEnvironments(repository, environment).filter(existsSync);
  if (environments.length === 0 || BUILDS.test(contract.train)) return none;
  const tree = await listTree(repository, commit);
  const paths = new Set(tree.map(({ path }) => path));
  const own = { project: projectName(repository.path), has: (path: string) => paths.has(path) };
  const folders = environments
    .flatMap(place => importsOf(place, repository.path, own))
    .flatMap(({ folder }) => folder ?? []);
  if (folders.length === 0) return none;
  const places = [...new Set([...paths].map(path => dirname(path)))].filter(path =>
    folders.some(folder => folder === '' || isBelow(path, folder)),
  );
  const modules = places.flatMap(place =>
    namesIn(join(repository.path, place))
      .filter(name => MODULE.test(name))
      .map(name => join(place, name))
      .filter(path => !paths.has(path)),
  );
  const isEditable = matchEditable(contract.editable);
  return { modules, editableSource: [...paths].find(path => SOURCE.test(path) && isEditable(path)) ?? null };
}

/**
 * A module of the project that its installation compiled into the environment, as maturin's editable install does without Python
 * sources, and what of the commit it may have been compiled from. Null if there is none, or the training compiles it itself.
 */
export function findInstalledModule(
  environment: string,
  repository: Repository,
  contract: Pick<Contract, 'train'>,
  paths: ReadonlySet<string>,
): { readonly module: string; readonly sources: readonly string[] } | null {
  if (BUILDS.test(contract.train)) return null;
  const project = projectName(repository.path);
  const [module] = sitePackages(environment).flatMap(site =>
    listOwn(site, repository.path, project).flatMap(({ files }) =>
      files.filter(path => MODULE.test(path)).map(path => join(site, path)),
    ),
  );
  return module === undefined ? null : { module, sources: [...paths].filter(path => SOURCE.test(path)) };
}
