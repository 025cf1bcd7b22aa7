import { lstat, readFile } from 'node:fs/promises';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import type { Jail } from './jail.ts';
import { placesIn } from './shown.ts';

/** Each is a mount. */
const MAX_MASKED = 200;

/** Paths of this machine's bound sockets, both streams and datagrams. Source: proc_pid_net(5). */
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
 * The sockets that a contained program could reach by path: those of docker, LXD, libvirt or a database outside /run
 * and /tmp. Sockets that the contract allows stay.
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
    // A folder that is mounted elsewhere shows its content under another path.
    found.push(...placesIn(jail, path));
  }
  return found;
}
