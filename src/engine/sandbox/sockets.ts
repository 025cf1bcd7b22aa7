import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import { EMPTIED, type Jail } from './jail.ts';

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
  const isShown = isShownIn(jail);
  const allowed = await Promise.all(letIn.map(real));
  const found: string[] = [];
  for (const bound of await boundSockets()) {
    if (found.length >= MAX_MASKED) break;
    const path = await real(bound);
    if (allowed.some(folder => isBelow(path, folder))) continue;
    if (!(await lstat(path).catch(() => null))?.isSocket()) continue;
    // A folder that is mounted elsewhere shows what is in it by another name.
    const others = jail.mounts
      .filter(({ what, isWritable }) => !isWritable && isBelow(path, what))
      .map(({ what, where }) => where + path.slice(what.length));
    found.push(...new Set([...(isShown(path) ? [path] : []), ...others]));
  }
  return found;
}

/** Of these files those that a contained program would see. */
export async function shownFiles(
  jail: Omit<Jail, 'masked'>,
  paths: readonly string[],
): Promise<readonly string[]> {
  const isShown = isShownIn(jail);
  const found = await Promise.all(paths.filter(existsSync).map(real));
  return [...new Set(found.filter(isShown))];
}

/** Tells whether what lies at a real path can be seen in a jail: the nearest folder that is named decides. */
export function isShownIn({
  hidden,
  mounts,
  readable,
  writable,
}: Omit<Jail, 'masked'>): (path: string) => boolean {
  const inTheWay = mounts.map(({ where }) => where);
  const emptied = [...EMPTIED, ...hidden, ...inTheWay];
  const shown = [...readable, ...writable];
  return path => {
    const nearest = (folders: readonly string[]) =>
      Math.max(-1, ...folders.filter(folder => isBelow(path, folder)).map(folder => folder.length));
    return nearest(shown) >= nearest(emptied);
  };
}
