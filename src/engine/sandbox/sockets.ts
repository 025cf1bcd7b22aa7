import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { isBelow, real } from './home-view.ts';
import { EMPTIED, type Jail } from './jail.ts';

/** `__SO_ACCEPTCON`: somebody listens. Source: proc_pid_net(5), /proc/net/unix. */
const LISTENING = 0x10000;
/** Each is a mount. */
const MAX_MASKED = 200;

/** Paths of the sockets on which somebody of this machine listens. */
export async function listeningSockets(): Promise<readonly string[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const paths = new Set<string>();
  for (const line of table.split('\n').slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path
    const fields = /^\S+ \S+ \S+ (\S+) \S+ \S+ +\d+ (\/.*)$/.exec(line);
    if (fields && (Number.parseInt(fields[1] ?? '', 16) & LISTENING) !== 0) paths.add(fields[2] ?? '');
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
  const isShown = visibility(jail);
  const allowed = await Promise.all(letIn.map(real));
  const found: string[] = [];
  for (const listening of await listeningSockets()) {
    if (found.length >= MAX_MASKED) break;
    const path = await real(listening);
    const isOpen = isShown(path) && !allowed.some(folder => isBelow(path, folder));
    if (isOpen && (await lstat(path).catch(() => null))?.isSocket()) found.push(path);
  }
  return found;
}

/** Of these files those that a contained program would see. */
export async function shownFiles(
  jail: Omit<Jail, 'masked'>,
  paths: readonly string[],
): Promise<readonly string[]> {
  const isShown = visibility(jail);
  const found = await Promise.all(paths.filter(existsSync).map(real));
  return [...new Set(found.filter(isShown))];
}

/** Tells whether what lies at a real path can be seen in a jail: the nearest folder that is named decides. */
function visibility({ hidden, mounts, readable, writable }: Omit<Jail, 'masked'>): (path: string) => boolean {
  const inTheWay = mounts.map(({ where }) => where);
  const emptied = [...EMPTIED, ...hidden, ...inTheWay];
  const shown = [...readable, ...writable];
  return path => {
    const nearest = (folders: readonly string[]) =>
      Math.max(-1, ...folders.filter(folder => isBelow(path, folder)).map(folder => folder.length));
    return nearest(shown) >= nearest(emptied);
  };
}
