import { lchown, lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../process/find-program.ts';
import type { Owner } from '../process/terminal.ts';

/** `nobody` and its group exist on every distribution; a number without a name breaks programs that look up their user. */
const NOBODY: Owner = { uid: 65_534, gid: 65_534 };

/** The user of contained programs if Pawl is root: root could still read its own files and write to the kernel. */
export type Identity = Owner & {
  /** Groups that own the GPUs' device nodes. */
  readonly groups: readonly number[];
  /** Absolute path of util-linux's setpriv. */
  readonly setpriv: string;
};

/**
 * Null if Pawl runs as an ordinary user; its programs then run as the same user.
 * @param devices visible names in /dev
 */
export async function findIdentity(devices: readonly string[], path: string): Promise<Identity | null> {
  if (process.getuid?.() !== 0) return null;
  const setpriv = await findProgram('setpriv', path);
  return setpriv === null ? null : { ...NOBODY, groups: await groupsOf(devices), setpriv };
}

/** Groups that are needed to open the nodes. */
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

/**
 * The program between bubblewrap and the command: it gives up the user for good, since bubblewrap forbids new
 * privileges.
 */
export function dropUser({ setpriv, uid, gid, groups }: Identity): readonly string[] {
  return [
    ...[setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--inh-caps=-all'],
    groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
  ];
}

/**
 * Gives a folder and its content to a user. A file with further hard links (uv's cache links its files into
 * environments) keeps its owner, because it would change in all of those places. Does not follow links.
 * @param skip absolute paths to leave alone
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
