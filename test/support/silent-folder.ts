import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { temporaryFolder } from './scaffold.ts';
import { NO_SMALL_DISK } from './small-disk.ts';

/** A folder whose file system stops to answer, as one on a server that is out of reach. */

/** Why there is none here; null where there is. */
export const NO_SILENT_FOLDER: string | null =
  existsSync('/dev/fuse') && canRun('bindfs', '--version')
    ? NO_SMALL_DISK
    : 'bindfs is not installed (Debian: apt-get install bindfs), or the kernel has no FUSE.';

function canRun(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export type SilentFolder = {
  readonly path: string;
  readonly freeze: () => void;
  readonly thaw: () => void;
};

/** Shows a folder in another place for as long as the test takes. */
export async function silentFolder(source: string): Promise<SilentFolder> {
  const path = join(await temporaryFolder(), 'shared');
  await mkdir(path);
  const server = spawn('bindfs', ['-f', source, path], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  const thaw = () => void server.kill('SIGCONT');
  onTestFinished(async () => {
    thaw();
    execFileSync('umount', ['--lazy', path]);
    server.kill();
    await ended;
  });
  await expect.poll(() => canRun('mountpoint', '-q', path)).toBe(true);
  return { path, thaw, freeze: () => void server.kill('SIGSTOP') };
}
