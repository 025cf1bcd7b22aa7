import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { homeView, isBelow, real } from './home-view.ts';
import type { Jail } from './jail.ts';
import { topmost } from './training-jail.ts';

/** A folder an agent keeps its own things in. Names are below it. */
export type AgentFolder = {
  /** Below home; empty for home itself. */
  readonly path: string;
  /** The user's variable that puts it elsewhere, and what it is below that; null where there is none. */
  readonly variable: { readonly name: string; readonly below: string } | null;
  /** Files it may renew: it gets a copy, and what it made of it is copied back. */
  readonly renews: readonly string[];
  /** Files it gets a copy of. */
  readonly copies: readonly string[];
  /** Read-only: what says how it works, and can make it run something. */
  readonly reads: readonly string[];
};

export type AgentJailInput = {
  readonly folders: readonly AgentFolder[];
  readonly program: string;
  /** The copy of the repository it works in, and the files in there that it may not change. */
  readonly copy: string;
  readonly locked: readonly string[];
  /** Files it is given by Pawl. */
  readonly own: string;
  /** An empty folder, for what stands in the place of home and of the agent's folders. */
  readonly standIns: string;
  readonly dataFolder: string;
  /** The user's checkout and its git folder. */
  readonly checkout: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Without symbolic links. */
  readonly home: string;
};

/** A file an agent has a copy of, and may renew. */
type Renewal = { readonly file: string; readonly copy: string; readonly before: Buffer };

/**
 * The jail of an agent on the command line: it writes its copy of the repository, reads the system, and has network. Home is
 * empty but for what its program needs and its own settings, read-only; what it writes there is gone with it, but for
 * a sign-in that it renewed: see {@link bringBack}.
 */
export async function agentJail(
  input: AgentJailInput,
): Promise<{ readonly jail: Jail; readonly renewals: readonly Renewal[] }> {
  const { home, standIns, environment } = input;
  const standIn = join(standIns, 'home');
  await mkdir(standIn, { recursive: true });
  /** By what they stand in the place of. */
  const standsFor = new Map([[home, standIn]]);
  const renewals: Renewal[] = [];
  const reads: string[] = [];
  for (const [place, { path, variable, ...names }] of input.folders.entries()) {
    const named = variable && environment[variable.name];
    const folder = named && isAbsolute(named) ? join(named, variable.below) : join(home, path);
    const inside =
      standsFor.get(folder) ??
      (isBelow(folder, home) ? join(standIn, relative(home, folder)) : join(standIns, String(place)));
    if (!isBelow(folder, home)) standsFor.set(folder, inside);
    await mkdir(inside, { recursive: true });
    for (const name of [...names.copies, ...names.renews]) {
      const before = await readFile(join(folder, name)).catch(() => null);
      if (before === null) continue;
      const copy = join(inside, name);
      await mkdir(dirname(copy), { recursive: true });
      await writeFile(copy, before, { mode: 0o600 });
      if (names.renews.includes(name)) renewals.push({ file: join(folder, name), copy, before });
    }
    reads.push(...names.reads.map(name => join(folder, name)));
  }
  const view = await homeView({
    ...{ home, environment, command: input.program, programs: [] },
    reads: [input.own, ...reads],
    covered: [...standsFor.keys()],
  });
  const jail: Jail = {
    ...view,
    mounts: [...standsFor].map(([where, what]) => [what, where] as const),
    secret: (await Promise.all([input.dataFolder, ...input.checkout].map(real))).filter(
      folder => folder !== '/' && !isBelow(input.copy, folder),
    ),
    writable: [await real(input.copy)],
    held: [],
    sealed: topmost(input.locked).map(path => join(input.copy, path)),
    opened: [],
    network: true,
    cwd: input.copy,
    devices: [],
  };
  return { jail, renewals };
}

/** A sign-in that is renewed by the agent is the only one that still works; one the user renewed meanwhile stays. */
export async function bringBack(renewals: readonly Renewal[]): Promise<void> {
  for (const { file, copy, before } of renewals) {
    const [now, own] = await Promise.all([copy, file].map(path => readFile(path).catch(() => null)));
    if (!now || now.equals(before) || !own?.equals(before)) continue;
    const target = await real(file);
    const fresh = `${target}.${process.pid}`;
    await writeFile(fresh, now, { mode: 0o600 });
    await rename(fresh, target);
  }
}
