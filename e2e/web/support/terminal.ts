import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PAWL_MAIN } from '../../../test/support/pawl-command.ts';

/** Runs `pawl` as in another terminal. Returns its stdout, or rejects if it fails. */
export async function pawl(
  { home, cwd }: { readonly home: string; readonly cwd: string },
  ...args: readonly string[]
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [PAWL_MAIN, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined, PAWL_HOME: home },
  });
  return stdout;
}
