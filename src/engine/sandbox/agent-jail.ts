import { cp, lstat, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { homeView, real } from './home-view.ts';
import type { Jail } from './jail.ts';
import { topmost } from './training-jail.ts';

/** What an agent keeps in the user's home; paths are below it. */
export type AgentState = {
  /** Sign-in, sessions: it writes there, and what it writes stays. */
  readonly folders: readonly string[];
  /** It gets a copy of them. */
  readonly files: readonly string[];
  /** Read-only. */
  readonly reads: readonly string[];
  /** In its folders what says how it works the next time, and can make it run something: it may not change these. */
  readonly guarded: readonly string[];
};

export type AgentJailInput = {
  readonly state: AgentState;
  readonly program: string;
  /** The copy of the repository it works in, and the files in there that it may not change. */
  readonly copy: string;
  readonly locked: readonly string[];
  /** Files it is given by Pawl. */
  readonly own: string;
  /** An empty folder that stands in the place of home. */
  readonly standIn: string;
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
};

/** The jail of an agent on the command line: it writes its copy and its own state, reads the system, and has network. */
export async function agentJail(input: AgentJailInput): Promise<Jail> {
  const { state, home, standIn, environment } = input;
  const inHome = (path: string) => join(home, path);
  const view = await homeView({
    ...{ home, environment, command: input.program, programs: [] },
    reads: [input.own, ...state.reads.map(inHome)],
  });
  for (const path of state.files) {
    await mkdir(dirname(join(standIn, path)), { recursive: true });
    await cp(inHome(path), join(standIn, path)).catch(() => {});
  }
  const isThere = async (path: string) => (await lstat(path).catch(() => null)) !== null;
  const folders: string[] = [];
  for (const path of state.folders.map(inHome)) if (await isThere(path)) folders.push(path);
  const guarded: string[] = [];
  for (const path of state.guarded.map(inHome)) if (await isThere(path)) guarded.push(await real(path));
  return {
    ...view,
    mounts: [[standIn, await real(home)]],
    secret: [await real(input.dataFolder)],
    writable: await Promise.all([input.copy, ...folders].map(real)),
    held: [],
    sealed: [...topmost(input.locked).map(path => join(input.copy, path)), ...guarded],
    network: true,
    cwd: input.copy,
    devices: [],
  };
}

/** Names those of the guarded paths that are not there yet: an agent that makes one is up to something. */
export async function missingGuards(state: AgentState, home: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const path of state.guarded) {
    if ((await lstat(join(home, path)).catch(() => null)) === null) missing.push(path);
  }
  return missing;
}

/** Removes the guarded paths that an agent made, and names them. */
export async function removeMade(home: string, missing: readonly string[]): Promise<readonly string[]> {
  const made: string[] = [];
  for (const path of missing) {
    if ((await lstat(join(home, path)).catch(() => null)) === null) continue;
    await rm(join(home, path), { recursive: true, force: true });
    made.push(path);
  }
  return made;
}
