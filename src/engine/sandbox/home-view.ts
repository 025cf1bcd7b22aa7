import { existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isBelow } from '../paths.ts';
import { findProgram, firstProgram } from '../process/find-program.ts';
import { EMPTIED, type Jail } from './jail.ts';
import { linkReader, trace } from './links.ts';

/** Variables that name folders for programs to read. */
const READ_VARIABLES = [
  ...['VIRTUAL_ENV', 'CONDA_PREFIX', 'PYENV_ROOT', 'PYTHONHOME', 'PYTHONPATH', 'LD_LIBRARY_PATH'],
  ...[
    'CUDA_HOME',
    'CUDA_PATH',
    'UV_PYTHON_INSTALL_DIR',
    'NVM_DIR',
    'BUN_INSTALL',
    'VOLTA_HOME',
    'RUSTUP_HOME',
  ],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'],
];

/** Where package managers keep what they installed or downloaded for the user. */
const PACKAGES = ['.local/share/uv', '.local/lib', 'go/pkg/mod', '.rustup'];
/** What cargo downloaded; tokens may lie beside it. */
const CRATES = ['registry', 'git'];

/** Programs that scripts start by name (`#!/usr/bin/env python3`), and that are often links. */
const INTERPRETERS = /^(?:python(?:\d(?:\.\d+)?)?|uvx?|node|bun|deno|julia|Rscript|R|ruby|perl|java)$/;

/** How many links on the PATH are followed; each may need a mount. */
const MAX_FOLLOWED = 40;

export type HomeViewInput = {
  readonly home: string;
  /** The program's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Shell command line. */
  readonly command: string;
  /** Other programs that it may start, and further paths that it may read. */
  readonly programs: readonly string[];
  readonly reads: readonly string[];
  /** The user's checkout and its git folder: hidden except for paths in them that are named. */
  readonly checkout: readonly string[];
  /** Pawl's own data: never visible, except a checkout inside it. Null hides nothing. */
  readonly dataFolder: string | null;
  /** Folders that are replaced by something else. */
  readonly standIns: readonly string[];
};

/**
 * What a contained program sees of the home folder, the checkout and Pawl's data: only the programs on its PATH, what
 * they need, and what is named. If a name leads through links, it sees each link and the target.
 */
export async function homeView(input: HomeViewInput): Promise<Pick<Jail, 'hidden' | 'readable' | 'links'>> {
  const { environment, command, standIns } = input;
  const read = linkReader();
  const home = await real(input.home);
  // A folder cannot be hidden from its own content.
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
  /** A program comes with its installation, under each of its names. */
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
  // The target of a link from another installer; the files beside it may be anyone's.
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
  const cargo = environment.CARGO_HOME ?? join(input.home, '.cargo');
  want(...CRATES.map(path => join(cargo, path)));

  // The rest of the system is readable anyway, but never a whole home folder, whoever owns it.
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
    // A program of the same user cannot use a path that cannot be reached, and bwrap would fail because of it.
    if (isHome(found.real) || isSecret(found.real) || !existsSync(found.real)) continue;
    if (isWorthNaming(found.real) && isFree(found.real)) readable.add(found.real);
    for (const { at, target } of found.links) if (isWorthNaming(at)) links.set(at, target);
  }
  /** Whether a path comes with a visible folder, so that it need not be named itself. */
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

/** A mount needs the real path, but a program may use the other. */
export function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** The absolute paths in a command line, and those in the home folder. */
function wordsOf(command: string, home: string): readonly string[] {
  const words = command.match(/"[^"]*"|'[^']*'|[^\s"';|&()<>]+/g) ?? [];
  return words
    .map(word => word.replace(/^["']|["']$/g, '').replace(/^[A-Za-z_]\w*=/, ''))
    .map(word => word.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/)/, home))
    .filter(word => isAbsolute(word) && word !== '/');
}

/**
 * The installation that a folder of programs belongs to: `~/.pyenv` for `~/.pyenv/shims`. Only known ones count,
 * because keys and sockets may be next to any other `bin`.
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
  // It contains programs of several installers, next to everyone's data.
  const isShared = basename(parent) === '.local' || parent === home;
  return isInstallation && !isShared ? parent : folder;
}

/** The package folder that contains a program, because its dependencies are beside it. */
function packagesOf(program: string): readonly string[] {
  const end = program.indexOf('/node_modules/');
  return end < 0 ? [] : [program.slice(0, end + '/node_modules'.length)];
}

/** Where WSL mounts the Windows drives, with everyone's files. Source: mount types 9p and drvfs in proc(5). */
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
