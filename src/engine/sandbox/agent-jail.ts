import { constants, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { isBelow } from '../paths.ts';
import { tokenFiles } from './data-caches.ts';
import { homeView, real } from './home-view.ts';
import type { Jail, Mount } from './jail.ts';
import { MAX_SINGLE_SEALS, topmost } from './seals.ts';
import { type LeftOut, SettingsCopy } from './settings-copy.ts';
import { shownFiles } from './shown.ts';
import { reachableSockets } from './sockets.ts';
import { withhold } from './withheld.ts';

/** A sign-in has a few kilobytes. */
const MAX_SIGN_IN_BYTES = 1024 ** 2;

/**
 * A separate folder, because an agent's home may be in /tmp, and Codex runs nothing if its home is inside its
 * temporary folder.
 */
export const JAIL_TEMPORARY = '/tmp/pawl';

/** A folder in which an agent keeps its own files. Names are relative to it. */
export type AgentFolder = {
  /** In the home folder; empty for the home folder itself. */
  readonly path: string;
  /** The user's variable that moves it, and its path inside that folder; null if there is none. */
  readonly variable: { readonly name: string; readonly below: string } | null;
  /** Files that the agent may renew: it gets a copy, and the changed copy is copied back. */
  readonly renews: readonly string[];
  /**
   * Files and folders of which it gets a copy, because some agents write next to their settings; large ones are
   * read-only. `.` means everything.
   */
  readonly reads: readonly string[];
};

export type AgentJailInput = {
  readonly folders: readonly AgentFolder[];
  readonly program: string;
  /** The agent's working copy of the repository, and the files in it that it may not change. */
  readonly copy: string;
  readonly locked: readonly string[];
  /** Files that only the contract's scorer may see. */
  readonly withheld: readonly string[];
  /** Files that Pawl gives it. */
  readonly own: string;
  /** An empty folder, for the replacements of the home folder and of the agent's folders. */
  readonly standIns: string;
  readonly dataFolder: string;
  /** The user's checkout and its git folder. */
  readonly checkout: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Without symbolic links. */
  readonly home: string;
};

/** A file that an agent has a copy of and may renew. */
type Renewal = { readonly file: string; readonly copy: string; readonly before: Buffer };

/**
 * The jail of a command-line agent: it can write its copy of the repository, read the system, and use the network.
 * Its home folder contains only what its program needs and copies of its own settings. What it writes there is lost,
 * except a renewed sign-in: see {@link bringBack}. `leftOut` lists settings that lead to places it must not see.
 */
export async function agentJail(input: AgentJailInput): Promise<{
  readonly jail: Jail;
  readonly renewals: readonly Renewal[];
  readonly leftOut: readonly LeftOut[];
}> {
  const { home, standIns, environment } = input;
  const standIn = join(standIns, 'home');
  await mkdir(standIn, { recursive: true });
  /** The real folder that each replacement stands for. */
  const standsFor = new Map([[home, standIn]]);
  const renewals: Renewal[] = [];
  const settings: Mount[] = [];
  const copy = new SettingsCopy({ home, dataFolder: input.dataFolder });
  for (const [place, { path, variable, ...names }] of input.folders.entries()) {
    const named = variable && environment[variable.name];
    const isNamed = named !== null && named !== undefined && isAbsolute(named);
    const folder = await placeOf(isNamed ? join(named, variable?.below ?? '') : join(home, path), home);
    // A folder that does not exist cannot be replaced.
    if (!isBelow(folder, home) && !existsSync(folder)) continue;
    const inside =
      standsFor.get(folder) ??
      (isBelow(folder, home) ? join(standIn, relative(home, folder)) : join(standIns, String(place)));
    if (!isBelow(folder, home)) standsFor.set(folder, inside);
    await mkdir(inside, { recursive: true });
    for (const name of names.renews) {
      const file = join(folder, name);
      const before = await readFile(file).catch(() => null);
      if (before === null || !(await copy.mayShow(file, file))) continue;
      const own = join(inside, name);
      await mkdir(dirname(own), { recursive: true });
      await writeFile(own, before, { mode: 0o600 });
      renewals.push({ file, copy: own, before });
    }
    // If the whole folder is a link, this means everything in its target.
    if (names.reads.includes('.') && !(await copy.mayShow(folder, folder))) continue;
    for (const name of await namesBelow(folder, names.reads)) {
      const where = join(folder, name);
      const mount = await copy.copy(where, join(inside, name));
      if (mount !== null) settings.push(mount);
    }
  }
  const { checkout, dataFolder } = input;
  const view = await homeView({
    ...{ home, environment, command: input.program, programs: [], reads: [] },
    ...{ checkout, dataFolder, standIns: [...standsFor.keys()] },
  });
  const isInStandIn = (path: string) =>
    [...standsFor].some(
      ([where, what]) => isBelow(path, where) && existsSync(join(what, relative(where, path))),
    );
  const whole: Omit<Jail, 'masked'> = {
    hidden: view.hidden,
    mounts: [...[...standsFor].map(([where, what]) => ({ what, where, isWritable: true })), ...settings],
    readable: [...view.readable, input.own],
    links: view.links.filter(([, at]) => !isInStandIn(at)),
    writable: [await real(input.copy)],
    ...{ made: [JAIL_TEMPORARY], held: [] },
    sealed: topmost(input.locked, MAX_SINGLE_SEALS).map(path => join(input.copy, path)),
    opened: [],
    exchanged: [],
    ...{ network: true, emptyBytes: null },
    cwd: input.copy,
    devices: [],
  };
  const { withheld, ...jail } = await withhold(whole, input.withheld, home);
  const secrets = await shownFiles(jail, tokenFiles(environment, home));
  const masked = [...secrets, ...withheld, ...(await reachableSockets(jail, []))];
  return { jail: { ...jail, masked }, renewals, leftOut: copy.leftOut };
}

/** The names that exist; `.` stands for all. */
async function namesBelow(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const all = names.includes('.') ? await readdir(folder).catch(() => []) : names;
  return all.filter(name => existsSync(join(folder, name)));
}

/**
 * Inside the home folder the replacement uses the name as given, even for a link; elsewhere a mount needs the real
 * path.
 */
async function placeOf(path: string, home: string): Promise<string> {
  const spelled = join(await real(dirname(path)), basename(path));
  return isBelow(spelled, home) ? spelled : real(path);
}

/**
 * Copies a renewed sign-in back, because after a renewal only the new one works; if the user renewed it meanwhile,
 * the user's stays. The agent's copy is not trusted: it has to be a plain file in which only tokens and their times
 * have changed. Never rejects.
 */
export async function bringBack(renewals: readonly Renewal[]): Promise<void> {
  for (const { file, copy, before } of renewals) {
    const now = await readPlain(copy);
    const own = await readFile(file).catch(() => null);
    if (!now || now.equals(before) || !own?.equals(before) || !isRenewed(before, now)) continue;
    await replace(await real(file), now).catch(() => {});
  }
}

/** Null unless it is a small plain file that is reached without links. */
async function readPlain(path: string): Promise<Buffer | null> {
  if ((await real(path)) !== path) return null;
  // Reading a pipe would never end.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (!file) return null;
  try {
    const stat = await file.stat();
    return stat.isFile() && stat.size > 0 && stat.size <= MAX_SIGN_IN_BYTES ? await file.readFile() : null;
  } catch {
    return null;
  } finally {
    await file.close().catch(() => {});
  }
}

/**
 * The fields that a server renews; any other field of a sign-in file may name a command or an address, which no agent
 * may choose.
 */
const RENEWABLE =
  /token|access|refresh|expir|scope|obtained|issued|last_?(?:refresh|used)|^iv$|^tag$|^data$/i;
/** No control characters, and no prefix that some programs take for a command. */
const PLAIN = /^(?!\s*[!$`])[\x20-\x7e]*$/;
/** Content that is not JSON is itself a token, or encrypted. */
const OPAQUE = /^[\w+/=:.-]*\s*$/;

/** Whether only renewable fields differ between two contents of a sign-in file. */
function isRenewed(before: Buffer, now: Buffer): boolean {
  const [old, fresh] = [readJson(before), readJson(now)];
  if (old === undefined || fresh === undefined) {
    return old === undefined && fresh === undefined && OPAQUE.test(now.toString('latin1'));
  }
  return differsOnlyIn(old, fresh, '');
}

function differsOnlyIn(old: unknown, fresh: unknown, name: string): boolean {
  if (typeof old === 'object' && old !== null && typeof fresh === 'object' && fresh !== null) {
    const [names, others] = [Object.keys(old), Object.keys(fresh)];
    if (Array.isArray(old) !== Array.isArray(fresh) || names.length !== others.length) return false;
    return names.every(
      key =>
        Object.hasOwn(fresh, key) &&
        differsOnlyIn(Reflect.get(old, key), Reflect.get(fresh, key), Array.isArray(old) ? name : key),
    );
  }
  if (old === fresh) return true;
  if (typeof fresh === 'number') return typeof old === 'number' && RENEWABLE.test(name);
  return typeof old === 'string' && typeof fresh === 'string' && RENEWABLE.test(name) && PLAIN.test(fresh);
}

/** Undefined if it is not JSON. */
function readJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Atomically if possible; a file that is a mount point can only be overwritten. */
async function replace(file: string, content: Buffer): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  try {
    await writeFile(fresh, content, { mode: 0o600 });
    await rename(fresh, file);
  } catch {
    await rm(fresh, { force: true });
    await writeFile(file, content);
  }
}
