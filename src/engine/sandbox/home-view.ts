import { existsSync } from 'node:fs';
import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { findProgram, firstProgram } from '../contract/find-command.ts';
import type { Jail } from './jail.ts';

/** As many as the system follows itself. */
const MAX_LINKS = 40;

/** Variables that name folders a program reads. */
const READ_VARIABLES = [
  ...['VIRTUAL_ENV', 'CONDA_PREFIX', 'PYENV_ROOT', 'PYTHONHOME', 'PYTHONPATH', 'LD_LIBRARY_PATH'],
  ...['CUDA_HOME', 'CUDA_PATH', 'HF_HOME', 'HF_HUB_CACHE', 'HF_DATASETS_CACHE', 'UV_PYTHON_INSTALL_DIR'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'],
];

export type HomeViewInput = {
  readonly home: string;
  /** What the program is given. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Shell command line. */
  readonly command: string;
  /** Other programs it may start, and what it is to read besides. */
  readonly programs: readonly string[];
  readonly reads: readonly string[];
  /** The user's checkout and its git folder: hidden but for what is named in them. */
  readonly checkout: readonly string[];
  /** Pawl's own data: not to be seen, whoever names it, but for a checkout that lies in it. */
  readonly dataFolder: string;
  /** Folders that something else stands in the place of. */
  readonly standIns: readonly string[];
};

/**
 * What a contained program sees of a home, of the checkout and of Pawl's data: nothing but the programs on its PATH, what
 * those need, and what is named.
 */
export async function homeView(input: HomeViewInput): Promise<Pick<Jail, 'hidden' | 'readable'>> {
  const { environment, command, standIns } = input;
  const home = await real(input.home);
  // What holds everything cannot be hidden from what is in it.
  const realOf = async (paths: readonly string[]) =>
    (await Promise.all(paths.map(real))).filter(path => path !== '/');
  const homes = await realOf(['/home', '/root', input.home].filter(existsSync));
  const secret = await real(input.dataFolder);
  const covered = [...standIns, ...(await realOf(input.checkout))];
  const hidden = unique([...homes, ...covered, secret]);
  const folders = (environment.PATH ?? '').split(':').filter(isAbsolute);
  const named = READ_VARIABLES.flatMap(name => (environment[name] ?? '').split(':')).filter(isAbsolute);
  const program = firstProgram(command);
  const programs = [
    ...wordsOf(command, input.home),
    ...(program === null ? [] : [(await findProgram(program, environment.PATH ?? '')) ?? '']),
    ...input.programs,
  ].filter(isAbsolute);
  const wanted = [
    ...folders.map(installationOf),
    ...(await Promise.all(programs.map(linksOf)))
      .flat()
      .flatMap(path => [path, installationOf(dirname(path))]),
    ...named,
    ...['.local/share/uv', '.local/lib'].map(path => join(input.home, path)),
    ...input.reads,
  ];
  // The rest of the system is readable anyway; a whole home never is, whosever it is.
  const isHome = (path: string) => isBelow(home, path) || dirname(path) === '/home';
  const isWorthNaming = (path: string) =>
    covered.includes(path) ||
    ['/tmp', '/run', ...hidden].some(folder => path !== folder && isBelow(path, folder));
  const isSecret = (path: string) =>
    isBelow(path, secret) && !covered.some(folder => folder !== secret && isBelow(path, folder));
  const readable: string[] = [];
  for (const path of wanted) {
    const target = await real(path);
    if (isHome(target) || isSecret(target)) continue;
    readable.push(...[resolve(path), target].filter(isWorthNaming));
  }
  const isFree = (path: string) => !standIns.includes(path);
  return {
    hidden: hidden.filter(isFree),
    // What cannot be reached is of no use to a program of the same user, and bwrap would give up over it.
    readable: unique(readable).filter(path => isFree(path) && existsSync(path)),
  };
}

/** A mount needs the real name; a program may come by the other. */
export function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** Absolute paths in a command line, and those below home. */
function wordsOf(command: string, home: string): readonly string[] {
  const words = command.match(/"[^"]*"|'[^']*'|[^\s"';|&()<>]+/g) ?? [];
  return words
    .map(word => word.replace(/^["']|["']$/g, '').replace(/^[A-Za-z_]\w*=/, ''))
    .map(word => word.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/)/, home))
    .filter(word => isAbsolute(word) && word !== '/');
}

/**
 * What a folder of programs belongs to: `~/.pyenv` for `~/.pyenv/shims`. Only what is known to be an installation: beside
 * another `bin` may lie keys and sockets.
 */
function installationOf(folder: string): string {
  const parent = dirname(folder);
  if (!/^(?:bin|shims|condabin)$/.test(basename(folder))) return folder;
  const isInstallation = [
    'pyvenv.cfg',
    'conda-meta',
    'lib/node_modules',
    'shims',
    'versions',
    'include',
  ].some(name => existsSync(join(parent, name)));
  // With programs of several installers in it, and next to them everybody's data.
  const isShared = basename(parent) === '.local';
  return isInstallation && !isShared ? parent : folder;
}

/** A program and everything it is a link to, one after the other. */
async function linksOf(path: string): Promise<readonly string[]> {
  const found = [path];
  for (let at = path; found.length < MAX_LINKS; ) {
    const next = await readlink(at).catch(() => null);
    if (next === null) break;
    at = resolve(dirname(at), next);
    found.push(at);
  }
  return found;
}

/** Whether a path is the folder or lies in it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)];
}
