import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EMPTIED, type Jail, type Mount } from './jail.ts';

/**
 * For programs that run as another user than Pawl: visible files may be in folders that only their owner may enter
 * (`mktemp -d`, a home folder). Such folders are created anew, and the visible files are mounted in them.
 */

/** Each child is a mount. */
const MAX_CHILDREN = 200;

/** The same jail, for a user who may enter only folders that are open to everyone. */
export function passable(jail: Jail): Jail {
  const shown = [...jail.mounts.filter(mount => !mount.isWritable), ...jail.readable.map(asMount)];
  const apart = shown.map(mount => [mount, takeApart(mount)] as const);
  const parts = apart.flatMap(([, taken]) => taken?.mounts ?? []);
  const hidden = [
    ...jail.hidden,
    ...apart.flatMap(([{ where }, taken]) => (taken && !isInEmpty(jail, where) ? [where] : [])),
  ];
  const whole = new Set(apart.filter(([, taken]) => taken === null).map(([{ where }]) => where));
  const opened: Jail = {
    ...jail,
    hidden,
    mounts: [...jail.mounts.filter(({ isWritable, where }) => isWritable || whole.has(where)), ...parts],
    readable: jail.readable.filter(path => whole.has(path)),
    links: [...jail.links, ...apart.flatMap(([, taken]) => taken?.links ?? [])],
  };
  const closed = { ...opened, hidden: [...hidden, ...closedFolders(opened)] };
  return { ...closed, made: foldersToMake(closed) };
}

function asMount(path: string): Mount {
  return { what: path, where: path, isWritable: false };
}

/** The children of a folder that only its owner may enter; null for anything else, which is mounted as it is. */
function takeApart({ what, where }: Mount): Pick<Jail, 'mounts' | 'links'> | null {
  const stat = lstatSync(what, { throwIfNoEntry: false });
  if (!stat?.isDirectory() || (stat.mode & 0o005) === 0o005) return null;
  const entries = readdirSync(what, { withFileTypes: true });
  if (entries.length > MAX_CHILDREN) return null;
  const children = entries.map(entry => ({
    entry,
    from: join(what, entry.name),
    to: join(where, entry.name),
  }));
  return {
    mounts: children
      .filter(({ entry }) => entry.isFile() || entry.isDirectory())
      .map(({ from, to }) => ({ what: from, where: to, isWritable: false })),
    links: children
      .filter(({ entry }) => entry.isSymbolicLink())
      .map(({ from, to }) => [readlinkSync(from), to] as const),
  };
}

/** System folders on the way to visible paths that other users may not enter. */
function closedFolders(jail: Jail): readonly string[] {
  const closed = new Set<string>();
  for (const place of placesIn(jail)) {
    for (let folder = dirname(place); folder !== '/'; folder = dirname(folder)) {
      const stat = lstatSync(folder, { throwIfNoEntry: false });
      if (stat?.isDirectory() && (stat.mode & 0o001) === 0 && !isInEmpty(jail, folder)) closed.add(folder);
    }
  }
  return [...closed].filter(path => !jail.hidden.includes(path));
}

/**
 * Folders to create for paths inside an empty one. bubblewrap (0.8) itself would create them only for the user who
 * started it.
 */
function foldersToMake(jail: Jail): readonly string[] {
  const { hidden, mounts, readable, writable } = jail;
  const empty = [...EMPTIED, ...hidden];
  const filled = [...mounts.map(({ where }) => where), ...readable, ...writable];
  const made = new Set<string>();
  for (const place of placesIn(jail)) {
    for (let folder = dirname(place); folder !== '/' && !empty.includes(folder); folder = dirname(folder)) {
      const standIn = mounts.find(({ where, isWritable }) => isWritable && where === folder);
      if (filled.includes(folder) && !standIn) break;
      if (isInEmpty(jail, folder)) made.add(folder);
    }
  }
  return [...made].filter(folder => !filled.includes(folder));
}

function placesIn({ mounts, readable, writable, links }: Jail): readonly string[] {
  return [...mounts.map(({ where }) => where), ...readable, ...writable, ...links.map(([, at]) => at)];
}

/** Whether a path is in a folder that is emptied or replaced. */
function isInEmpty({ hidden, mounts }: Jail, path: string): boolean {
  const standIns = mounts.filter(({ isWritable }) => isWritable).map(({ where }) => where);
  return [...EMPTIED, ...hidden, ...standIns].some(folder => path.startsWith(`${folder}/`));
}
