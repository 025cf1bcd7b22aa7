import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LAUNCHER } from './node-process.ts';

/** Tests start the bundle of the terminal host, which the launcher builds where it is older than its sources. */
export async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, [LAUNCHER, '--version']);
}
