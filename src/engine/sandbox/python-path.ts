import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isBelow } from '../paths.ts';

/**
 * The `PYTHONPATH` of a program that runs in a worktree. What it or an environment imports from the user's checkout, it imports from the
 * worktree: otherwise the attempt's number would be that of the checkout's code. Undefined where there is nothing to say.
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
  const inWorktree = (path: string) => findInWorktree(relative(checkout, path), worktree);
  const installed = environments.flatMap(sitePackages).flatMap(folder => importedFrom(folder, checkout));
  const instead = installed.flatMap(path => inWorktree(path) ?? []);
  const kept = (own ? own.split(delimiter) : []).map(entry => {
    const isOfCheckout = isAbsolute(entry) && isBelow(resolve(entry), checkout);
    return (isOfCheckout ? inWorktree(entry) : null) ?? entry;
  });
  const all = [...new Set([...instead, ...kept])];
  return all.length === 0 ? undefined : all.join(delimiter);
}

export type Worktree = { readonly files: string; readonly shownAt: string };

/** Null where there is no such folder. A link may lead out of the worktree, to what the sandbox would then show because it is named. */
function findInWorktree(path: string, { files, shownAt }: Worktree): string | null {
  try {
    const isInside = isBelow(realpathSync(join(files, path)), realpathSync(files));
    return isInside ? join(shownAt, path) : null;
  } catch {
    return null;
  }
}

function sitePackages(environment: string): readonly string[] {
  return namesIn(join(environment, 'lib'))
    .filter(name => name.startsWith('python'))
    .map(name => join(environment, 'lib', name, 'site-packages'));
}

/**
 * Folders of the checkout that are searched for modules because something is installed from there in editable form. Source: the `site`
 * module on `.pth` files, a path a line; setuptools on editable installs, where a finder in Python names each package's folder.
 */
function importedFrom(site: string, checkout: string): readonly string[] {
  const isOfCheckout = (path: string) => isAbsolute(path) && isBelow(resolve(path), checkout);
  return namesIn(site).flatMap(name => {
    if (name.endsWith('.pth')) return textOf(join(site, name)).split(/\r?\n/).filter(isOfCheckout);
    if (!/^__editable__.*\.py$/.test(name)) return [];
    const quoted = textOf(join(site, name)).matchAll(/(['"])(.*?)\1/g);
    return [...quoted]
      .map(([, , path = '']) => path)
      .filter(isOfCheckout)
      .map(path => dirname(path));
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
