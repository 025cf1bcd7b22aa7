import { existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isBelow } from '../paths.ts';
import { findProgram, firstProgram } from '../process/find-program.ts';
import { EMPTIED, type Jail } from './jail.ts';
import { linkReader, trace } from './links.ts';

/** Variables that name folders a program reads. */
const READ_VARIABLES = [
  ...['VIRTUAL_ENV', 'CONDA_PREFIX', 'PYENV_ROOT', 'PYTHONHOME', 'PYTHONPATH', 'LD_LIBRARY_PATH'],
  ...['CUDA_HOME', 'CUDA_PATH', 'UV_PYTHON_INSTALL_DIR', 'NVM_DIR', 'BUN_INSTALL', 'VOLTA_HOME'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'],
];

/** Where package managers keep what they installed or fetched for the user's programs. */
const PACKAGES = ['.local/share/uv', '.local/lib', 'go/pkg/mod'];

/** Programs that a script names by themselves (`#!/usr/bin/env python3`), and that are often links to somewhere else. */
const INTERPRETERS = /^(?:python(?:\d(?:\.\d+)?)?|uvx?|node|bun|deno|julia|Rscript|R|ruby|perl|java)$/;

/** Links on the PATH that are followed; each may be a mount. */
const MAX_FOLLOWED = 40;

export type HomeViewInput = {
  readonly home: string;
  /** What the program is given. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Shell command line. */
  readonly command: string;
  /** Other programs it may start, and what else it may read. */
  readonly programs: readonly string[];
  readonly reads: readonly string[];
  /** The user's checkout and its git folder: hidden but for what is named in them. */
  readonly checkout: readonly string[];
  /** Pawl's own data: not to be seen, whoever names it, but for a checkout that lies in it. Null hides none. */
  readonly dataFolder: string | null;
  /** Folders that something else stands in the place of. */
  readonly standIns: readonly string[];
};

/**
 * What a contained program sees of a home, of the checkout and of Pawl's data: nothing but the programs on its PATH, what
 * those need, and what is named. Where a name leads through links, each link is there and what it leads to.
 */
export async function homeView(input: HomeViewInput): Promise<Pick<Jail, 'hidden' | 'readable' | 'links'>> {
  const { environment, command, standIns } = input;
  const read = linkReader();
  const home = await real(input.home);
  // What holds everything cannot be hidden from what is in it.
  const realOf = async (paths: readonly string[]) =>
    (await Promise.all(paths.map(real))).filter(path => path !== '/');
  const homes = await realOf([
    ...['/home', '/root', input.home].filter(existsSync),
    ...(await windowsDrives()),
  ]);
  const secret = input.dataFolder === null ? null : await real(input.dataFolder);
  const covered = [...standIns, ...(await realOf(input.checkout))];
  const hidden = unique([...homes, ...covered, ...(secret === null ? [] : [secret])]);

  const wanted = new Set<string>();
  const want = (...paths: readonly string[]) => {
    for (const path of paths) if (isAbsolute(path)) wanted.add(resolve(path));
  };
  /** A program comes with what it belongs to, by each of its names. */
  const wantProgram = async (path: string) => {
    want(path);
    const { links, real: target } = await trace(path, read);
    for (const place of [...links.filter(({ isLast }) => isLast).map(({ at }) => at), target]) {
      want(installationOf(dirname(place), home), ...packagesOf(place));
    }
  };
  const followed = new Set<string>();
  for (const folder of (environment.PATH ?? '').split(':').filter(isAbsolute)) {
    want(installationOf(folder, home), installationOf(await real(folder), home));
    if (!isBelowAny(await real(folder), hidden)) continue;
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      if (INTERPRETERS.test(entry.name)) await wantProgram(path);
      else if (entry.isSymbolicLink() && followed.size < MAX_FOLLOWED) followed.add(path);
    }
  }
  // What another installer's program is a link to; what lies beside it may be anybody's.
  for (const path of followed) {
    want(path);
    const { real: target } = await trace(path, read);
    const folder = dirname(target);
    const installation = installationOf(folder, home);
    want(...(installation === folder ? [] : [installation]), ...packagesOf(target));
  }
  const program = firstProgram(command);
  const named = program === null ? null : await findProgram(program, environment.PATH ?? '');
  for (const path of [...wordsOf(command, input.home), named ?? '', ...input.programs].filter(isAbsolute)) {
    await wantProgram(path);
  }
  want(...READ_VARIABLES.flatMap(name => (environment[name] ?? '').split(':')));
  want(...PACKAGES.map(path => join(input.home, path)), ...input.reads);

  // The rest of the system is readable anyway; a whole home never is, whosever it is.
  const isHome = (path: string) => isBelow(home, path) || dirname(path) === '/home';
  const emptied = unique([...EMPTIED, ...hidden]);
  const isWorthNaming = (path: string) =>
    covered.includes(path) || emptied.some(folder => path !== folder && isBelow(path, folder));
  const isSecret = (path: string) =>
    secret !== null &&
    isBelow(path, secret) &&
    !covered.some(folder => folder !== secret && isBelow(path, folder));
  const isFree = (path: string) => !standIns.includes(path);

  const readable = new Set<string>();
  const links = new Map<string, string>();
  for (const path of wanted) {
    const found = await trace(path, read);
    // What cannot be reached is of no use to a program of the same user, and bwrap would give up over it.
    if (isHome(found.real) || isSecret(found.real) || !existsSync(found.real)) continue;
    if (isWorthNaming(found.real) && isFree(found.real)) readable.add(found.real);
    for (const { at, target } of found.links) if (isWorthNaming(at)) links.set(at, target);
  }
  /** Whether what lies at a path comes with a folder that is let in, and need not be named itself. */
  const comesAlong = (path: string) => {
    const above = [...emptied, ...readable].filter(folder => folder !== path && isBelow(path, folder));
    const nearest = above.reduce((best, folder) => (folder.length > best.length ? folder : best), '');
    return readable.has(nearest);
  };
  return {
    hidden: hidden.filter(isFree),
    readable: [...readable].filter(path => hidden.includes(path) || !comesAlong(path)),
    links: [...links].filter(([at]) => !comesAlong(at)).map(([at, target]) => [target, at] as const),
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
function installationOf(folder: string, home: string): string {
  const parent = dirname(folder);
  if (!/^(?:bin|shims|condabin)$/.test(basename(folder))) return folder;
  const isInstallation = [
    'pyvenv.cfg',
    'conda-meta',
    'lib/node_modules',
    'shims',
    'versions',
    'include',
    'install/global/node_modules',
  ].some(name => existsSync(join(parent, name)));
  // With programs of several installers in it, and next to them everybody's data.
  const isShared = basename(parent) === '.local' || parent === home;
  return isInstallation && !isShared ? parent : folder;
}

/** The folder of packages a program lies in: what it requires lies beside it there. */
function packagesOf(program: string): readonly string[] {
  const end = program.indexOf('/node_modules/');
  return end < 0 ? [] : [program.slice(0, end + '/node_modules'.length)];
}

/** Where WSL shows the drives of Windows, with everybody's files on them. Source: mount types 9p and drvfs in proc(5). */
async function windowsDrives(): Promise<readonly string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return mounts
    .split('\n')
    .map(line => line.split(' '))
    .filter(([, place = '', type = '']) => /^(?:9p|drvfs)$/.test(type) && /^\/mnt\/[a-z]$/.test(place))
    .map(([, place = '']) => place);
}

function isBelowAny(path: string, folders: readonly string[]): boolean {
  return [...EMPTIED, ...folders].some(folder => isBelow(path, folder));
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)];
}
