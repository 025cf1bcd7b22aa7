import { chmodSync, closeSync, constants, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DataPaths } from '../paths.ts';

/** What Pawl creates in its data folder, and the price table that a user may put there. */
const OWN_ENTRY =
  /^(?:pawl\.sqlite.*|engine\..*|studies|worktrees|temporary|logs|samples|window|model-key|model-prices\.json|reserve)$/;
const OTHERS = 0o077;
/**
 * Linux: refers to a file without opening it. When an opened file is closed, the system releases all locks of this
 * process on it, and SQLite relies on those.
 */
const O_PATH = 0o10000000;

/**
 * Closes a data folder to the machine's other users, because the ledger and the logs are private. Changes only the
 * user's own files, and follows no link. In a folder that is not only Pawl's, closes only Pawl's entries. Returns a
 * sentence about what was done; null if nothing was open.
 */
export function tightenDataFolder({ home }: DataPaths): string | null {
  if (process.platform !== 'linux' || (statSync(home).mode & OTHERS) === 0) return null;
  const entries = readdirSync(home);
  const own = entries.filter(name => OWN_ENTRY.test(name));
  const isPawls = own.length === entries.length && home !== homedir() && home !== '/';
  if (isPawls && closeToOthers(home)) {
    return `Other users of this machine could read the data folder ${home}. Now only you can.`;
  }
  const closed = own.filter(name => closeToOthers(join(home, name)));
  return closed.length === 0
    ? null
    : `Other users of this machine could read ${closed.join(', ')} in ${home}. Now only you can.`;
}

/** Whether it was open to others and no longer is. */
function closeToOthers(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch {
    // A file of SQLite's beside the ledger may have disappeared meanwhile.
    return false;
  }
  try {
    const { mode, uid, nlink } = fstatSync(file);
    const kind = mode & constants.S_IFMT;
    // A file's second hard link may be somewhere that is not Pawl's.
    const isPlain = kind === constants.S_IFDIR || (kind === constants.S_IFREG && nlink === 1);
    if (!isPlain || uid !== process.getuid?.() || (mode & OTHERS) === 0) return false;
    chmodSync(`/proc/self/fd/${file}`, mode & 0o7777 & ~OTHERS);
    return (fstatSync(file).mode & OTHERS) === 0;
  } catch {
    // A file system without permissions, or read-only: the work itself may still be possible.
    return false;
  } finally {
    closeSync(file);
  }
}
