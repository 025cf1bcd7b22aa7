import { existsSync, realpathSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative, resolve } from 'node:path';
import { isBelow } from '../paths.ts';
import {
  type InstalledProject,
  listOwn,
  namesIn,
  projectName,
  sitePackages,
  textOf,
} from './installed-projects.ts';

export type Worktree = { readonly files: string; readonly shownAt: string };

/**
 * The `PYTHONPATH` of a program that runs in a worktree. What it or an environment imports from the user's checkout, or from a copy of
 * it, it imports from the worktree: otherwise the attempt's number would be that of other code. Undefined where there is nothing to say.
 * @param own the user's `PYTHONPATH`
 * @param environments folders of Python environments, there or not
 * @param checkout absolute
 * @param worktree its files, and where the program finds them
 */
export function pythonPathOf(
  own: string | undefined,
  environments: readonly string[],
  checkout: string,
  worktree: Worktree,
): string | undefined {
  const inWorktree = (path: string) => findInWorktree(path, worktree);
  const { files } = worktree;
  const commit = { project: projectName(files), has: (path: string) => existsSync(join(files, path)) };
  const instead = environments
    .flatMap(environment => importsOf(environment, checkout, commit))
    .flatMap(({ folder }) => (folder === null ? [] : (inWorktree(folder) ?? [])));
  const kept = (own ? own.split(delimiter) : []).map(entry => {
    const isOfCheckout = isAbsolute(entry) && isBelow(resolve(entry), checkout);
    return (isOfCheckout ? inWorktree(relative(checkout, entry)) : null) ?? entry;
  });
  const all = [...new Set([...instead, ...kept])];
  return all.length === 0 ? undefined : all.join(delimiter);
}

/** Code that an environment imports, but a program in a worktree should not, for it is not the attempt's. */
export type Import = {
  /** The folder of the repository that has the same code if Python searches it first; null if none has. */
  readonly folder: string | null;
  /** What has the code in the repository: files, or a folder. */
  readonly sources: readonly string[];
  /** Why `folder` is null; otherwise ''. */
  readonly fault: string;
};

type Commit = {
  /** The project's name; null if it has none. */
  readonly project: string | null;
  readonly has: (path: string) => boolean;
};

/** @param checkout what the environment may have been made for */
export function importsOf(environment: string, checkout: string, commit: Commit): readonly Import[] {
  return sitePackages(environment).flatMap(site => {
    const installed = listOwn(site, checkout, commit.project);
    // An environment that came with a copy of the checkout leads to where that was.
    const origins = new Set([checkout, ...installed.map(project => originOf(project, checkout))]);
    return [
      ...[...origins].flatMap(origin => editableImports(site, origin)),
      ...installed.flatMap(project =>
        project.isCopy ? copyImport(project, checkout, commit) : loaderImport(project, checkout),
      ),
    ];
  });
}

function originOf({ folder }: InstalledProject, checkout: string): string {
  return isBelow(folder, checkout) ? checkout : folder;
}

/**
 * What is installed from a folder in editable form. Source: the `site` module on `.pth` files, a path a line; setuptools on editable
 * installs, where a finder in Python names the folder of each package.
 */
function editableImports(site: string, origin: string): readonly Import[] {
  const isOfOrigin = (path: string) => isAbsolute(path) && isBelow(resolve(path), origin);
  const found = (path: string): Import => {
    const folder = relative(origin, path);
    return { folder, sources: [folder], fault: '' };
  };
  return namesIn(site).flatMap(name => {
    const lines = name.endsWith('.pth') ? textOf(join(site, name)).split(/\r?\n/) : [];
    if (!/^__editable__.*\.py$/.test(name)) return lines.filter(isOfOrigin).map(found);
    const pairs = textOf(join(site, name)).matchAll(/(['"])([\w.]+)\1\s*:\s*(['"])(.*?)\3/g);
    return [...pairs].flatMap(([, , module = '', , path = '']): readonly Import[] => {
      if (!isOfOrigin(path)) return [];
      const ending = `/${module.replaceAll('.', '/')}`;
      const place = path.replace(/\.py$/, '');
      if (place.endsWith(ending)) return [found(place.slice(0, -ending.length))];
      const source = relative(origin, path);
      return [{ folder: null, sources: [source], fault: `${module} has another name there: ${source}` }];
    });
  });
}

/** Where projects keep their packages, by custom; `python` is maturin's. */
const SOURCE_FOLDERS = ['', 'src', 'python'];

/**
 * Python asks a loader of meson-python or scikit-build-core before it searches any folder, and the loader answers with the
 * checkout's code. Source: their editable installs.
 */
function loaderImport({ name, folder, files }: InstalledProject, checkout: string): readonly Import[] {
  const loader = files.find(path => /^_(?!_editable__)\w*editable\w*\.py$/.test(path));
  if (loader === undefined) return [];
  const root = isBelow(folder, checkout) ? relative(checkout, folder) : '';
  const sources = SOURCE_FOLDERS.flatMap(path => [join(root, path, name), join(root, path, `${name}.py`)]);
  return [{ folder: null, sources, fault: `${loader} loads ${name} from where it was installed` }];
}

/** A copy may have files that were made for it: only a folder that has all of them can stand in for it. */
function copyImport(project: InstalledProject, checkout: string, commit: Commit): Import {
  const root = isBelow(project.folder, checkout) ? relative(checkout, project.folder) : '';
  const folders = SOURCE_FOLDERS.map(folder => join(root, folder)).map(path => (path === '.' ? '' : path));
  const missingIn = (folder: string) => project.files.find(path => !commit.has(join(folder, path)));
  const sources = folders.flatMap(folder => project.files.map(path => join(folder, path)));
  const folder = folders.find(candidate => missingIn(candidate) === undefined) ?? null;
  const closest = folders.find(candidate => missingIn(candidate) !== project.files[0]) ?? root;
  const missing = missingIn(closest) ?? '';
  return {
    ...{ folder, sources },
    fault:
      folder === null ? `${project.name} is a copy with a file that the repository has not: ${missing}` : '',
  };
}

/** Null where there is no such folder. A link may lead out of the worktree, to what the sandbox would then show because it is named. */
function findInWorktree(path: string, { files, shownAt }: Worktree): string | null {
  try {
    const isInside = isBelow(realpathSync(join(files, path)), realpathSync(files));
    return isInside ? join(shownAt, path) : null;
  } catch {
    return null;
  }
}
