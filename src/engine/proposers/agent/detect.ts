import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AgentStatus } from '../../../shared/proposers/proposer-calls.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import { findProgram } from '../../process/find-program.ts';
import { real } from '../../sandbox/home-view.ts';
import type { AgentProgram } from './program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Some programs need 40 s on a busy machine; one that takes longer still counts as installed. */
const VERSION_MS = 90_000;

/** Versions that programs reported, by name, path and file stamp: a replaced program is asked again. */
const versions = new Map<
  string,
  { readonly asked: Promise<string | null>; version: string | null | undefined }
>();

/**
 * The installed agents, their versions, and whether a sign-in can be seen. Uses no network.
 * @param patience how long to wait for versions, in milliseconds; later answers are still awaited in the background
 */
export function detectAgents(
  programs: Readonly<Record<string, AgentProgram>>,
  environment: Environment,
  patience: number,
): Promise<readonly AgentStatus[]> {
  return Promise.all(
    Object.entries(programs).map(async ([agent, program]) => {
      const { title, signIn } = program;
      const path = await findProgram(program.program, environment.PATH ?? '');
      const version = path === null ? null : await versionOf(path, environment, patience);
      return {
        ...{ agent, title, isFound: path !== null },
        version: version ?? null,
        isAsking: version === undefined,
        isSignedIn: await isSignedIn(program, environment),
        signIn: signIn.how,
      };
    }),
  );
}

/** Undefined while the program is being asked; null if it does not say. */
async function versionOf(
  path: string,
  environment: Environment,
  patience: number,
): Promise<string | null | undefined> {
  const target = await real(path);
  const { ino, mtimeMs, size } = await stat(target).catch(() => ({ ino: 0, mtimeMs: 0, size: 0 }));
  const key = JSON.stringify([target, ino, mtimeMs, size]);
  let known = versions.get(key);
  if (!known) {
    const fresh: { asked: Promise<string | null>; version: string | null | undefined } = {
      version: undefined,
      asked: askVersion(path, environment).then(version => {
        fresh.version = version;
        return version;
      }),
    };
    versions.set(key, fresh);
    known = fresh;
  }
  if (known.version === undefined)
    await Promise.race([known.asked, delay(patience, undefined, { ref: false })]);
  return known.version;
}

async function askVersion(path: string, environment: Environment): Promise<string | null> {
  const options = { env: { ...environment }, timeout: VERSION_MS, killSignal: 'SIGKILL' } as const;
  const said = await promisify(execFile)(path, ['--version'], options).catch(() => null);
  return stripControl(said?.stdout.trim().split('\n').at(-1) ?? '').slice(0, 80) || null;
}

/** Whether an agent's sign-in can be seen; it may also be in the system's keyring. */
export async function isSignedIn(program: AgentProgram, environment: Environment): Promise<boolean> {
  const { signIn } = program;
  if (signIn.variables.some(name => Boolean(environment[name]))) return true;
  const read = (file: string) => readFile(placeOf(program, file, environment), 'utf8').catch(() => null);
  for (const file of signIn.files) if ((await read(file)) !== null) return true;
  return (await signIn.isInSettings?.(read)) ?? false;
}

/** A file in the home folder, or in the folder that the user's variable names. */
function placeOf({ folders }: AgentProgram, file: string, environment: Environment): string {
  for (const { path, variable } of folders) {
    const named = variable && environment[variable.name];
    if (path !== '' && named && isAbsolute(named) && file.startsWith(`${path}/`)) {
      return join(named, variable.below, file.slice(path.length + 1));
    }
  }
  return join(environment.HOME || homedir(), file);
}
