import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { findSandbox } from '../../src/engine/sandbox/find-sandbox.ts';
import { type ContainedOptions, runInJail } from './contained-core.ts';
import { COMPILE_CACHE } from './pawl-command.ts';
import { createRepository, temporaryFolder } from './scaffold.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('contained-main.ts', import.meta.url));
/** An ordinary user, if the tests run as root. */
export const ORDINARY = 65_534;

/** The sandbox of this machine, or why it has none. */
export const found = await findSandbox(process.env);
export const HAS_SANDBOX = found.kind === 'bubblewrap';
if (found.kind === 'none') console.warn(`Tests of the sandbox are skipped: ${found.why}`);
/** A test of containment, skipped if this machine has no sandbox. */
export const contained = test.skipIf(!HAS_SANDBOX);

/** The output of a shell script in the jail of a training. */
export async function runContained(
  script: string,
  options: ContainedOptions = {},
): Promise<{ readonly stdout: string }> {
  const repository = await createRepository({ 'train.sh': '' });
  return { stdout: await runInJail(script, options, await temporaryFolder(), repository) };
}

/** The same with Pawl run by an ordinary user; folders in the options must belong to that user. */
export async function runContainedAsUser(
  script: string,
  options: ContainedOptions = {},
): Promise<{ readonly stdout: string }> {
  if (process.getuid?.() !== 0) return runContained(script, options);
  const repository = await createRepository({ 'train.sh': '' });
  const base = await temporaryFolder();
  await run('chown', ['-R', `${ORDINARY}:${ORDINARY}`, base, `${repository}/..`]);
  const user = ['--reuid', String(ORDINARY), '--regid', String(ORDINARY), '--clear-groups'];
  const task = JSON.stringify([script, options, base, repository]);
  const { stdout } = await run('setpriv', [...user, process.execPath, MAIN, task], {
    env: { PATH: process.env.PATH, HOME: base, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  return { stdout };
}

/** A line of shell that reports whether a command succeeds. */
export function can(name: string, command: string): string {
  return `if (${command}) >/dev/null 2>&1; then echo "${name} yes"; else echo "${name} no"; fi`;
}

/** The results of {@link can}, by name. */
export function answers(stdout: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...stdout.matchAll(/^(\S+) (yes|no)$/gm)].map(([, name, word]) => [name, word]));
}
