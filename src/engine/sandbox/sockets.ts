import { lstat, readFile } from 'node:fs/promises';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import type { Jail } from './jail.ts';
import { placesIn } from './shown.ts';

/** Each is a mount. */
const MAX_MASKED = 200;

/** Paths of the sockets that somebody of this machine has bound: who listens, and who takes datagrams. Source: proc_pid_net(5). */
export async function boundSockets(): Promise<readonly string[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const paths = new Set<string>();
  for (const line of table.split('\n').slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path
    const path = /^\S+ \S+ \S+ \S+ \S+ \S+ +\d+ (\/.*)$/.exec(line)?.[1];
    if (path !== undefined) paths.add(path);
  }
  return [...paths];
}

/**
 * The sockets that a contained program would reach by their path: those of docker, LXD, libvirt or a database that lie
 * elsewhere than in /run and /tmp. What the contract lets in stays.
 */
export async function reachableSockets(
  jail: Omit<Jail, 'masked'>,
  letIn: readonly string[],
): Promise<readonly string[]> {
  const allowed = await Promise.all(letIn.map(real));
  const found: string[] = [];
  for (const bound of await boundSockets()) {
    if (found.length >= MAX_MASKED) break;
    const path = await real(bound);
    if (allowed.some(folder => isBelow(path, folder))) continue;
    if (!(await lstat(path).catch(() => null))?.isSocket()) continue;
    // A folder that is mounted elsewhere shows what is in it by another name.
    found.push(...placesIn(jail, path));
  }
  return found;
}
