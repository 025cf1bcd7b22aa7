import { lchown, lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../process/find-program.ts';
import type { Owner } from '../process/terminal.ts';

/** `nobody` and its group, on every distribution; a number without a name breaks programs that ask for their user. */
const NOBODY: Owner = { uid: 65_534, gid: 65_534 };

/** Who a contained program is where Pawl is root: its own user could still read root's files and write to the kernel. */
export type Identity = Owner & {
  /** Groups that own the nodes of the GPUs. */
  readonly groups: readonly number[];
  /** Absolute path of util-linux' setpriv. */
  readonly setpriv: string;
};

/**
 * Null where Pawl is an ordinary user, whose programs stay that user.
 * @param devices names in /dev that are let in
 */
export async function findIdentity(devices: readonly string[], path: string): Promise<Identity | null> {
  if (process.getuid?.() !== 0) return null;
  const setpriv = await findProgram('setpriv', path);
  return setpriv === null ? null : { ...NOBODY, groups: await groupsOf(devices), setpriv };
}

/** Groups without which a node cannot be opened. */
async function groupsOf(devices: readonly string[]): Promise<readonly number[]> {
  const groups = new Set<number>();
  const visit = async (path: string): Promise<void> => {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) {
      for await (const { name } of await opendir(path)) await visit(join(path, name));
      return;
    }
    const isForGroup = found !== null && (found.mode & 0o060) === 0o060 && (found.mode & 0o006) !== 0o006;
    if (isForGroup && found.gid !== 0) groups.add(found.gid);
  };
  for (const name of devices) await visit(join('/dev', name));
  return [...groups];
}

/** What stands between bubblewrap and the command: gives the user up, for good, since bubblewrap forbids new privileges. */
export function dropUser({ setpriv, uid, gid, groups }: Identity): readonly string[] {
  return [
    ...[setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--inh-caps=-all'],
    groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
  ];
}

/**
 * Makes a folder and what is in it somebody's. A file that has other names (uv's cache links its files into environments)
 * stays whose it is: it would change in all the places it lies in. Links are not followed.
 * @param skip absolute paths that are left alone
 */
export async function giveTo(owner: Owner, path: string, skip: ReadonlySet<string>): Promise<void> {
  if (skip.has(path)) return;
  const found = await lstat(path).catch(() => null);
  if (!found) return;
  const isFolder = found.isDirectory();
  if ((found.uid !== owner.uid || found.gid !== owner.gid) && (isFolder || found.nlink === 1)) {
    await lchown(path, owner.uid, owner.gid);
  }
  if (!isFolder) return;
  for await (const { name } of await opendir(path)) await giveTo(owner, join(path, name), skip);
}
