import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import { matchEditable } from '../contract/editable.ts';
import { listTree, type Repository } from '../git/repository.ts';
import { isBelow } from '../paths.ts';
import { namesIn, projectName } from './installed-projects.ts';
import { usedEnvironments } from './python-environments.ts';
import { importsOf } from './python-path.ts';

/** Languages that compilers turn into Python modules. */
const SOURCE = /\.(?:c|cc|cpp|cxx|cu|cuh|h|hpp|pyx|pxd|rs|f|f90)$/;
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
      .filter(name => /\.(?:so|pyd)$/.test(name))
      .map(name => join(place, name))
      .filter(path => !paths.has(path)),
  );
  const isEditable = matchEditable(contract.editable);
  return { modules, editableSource: [...paths].find(path => SOURCE.test(path) && isEditable(path)) ?? null };
}
