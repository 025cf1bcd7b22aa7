import { chmodSync, closeSync, constants, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DataPaths } from '../paths.ts';

/** What Pawl makes in its data folder, and the prices a user may put there. */
const OWN_ENTRY =
  /^(?:pawl\.sqlite.*|engine\..*|studies|worktrees|temporary|logs|samples|window|model-key|model-prices\.json|reserve)$/;
const OTHERS = 0o077;
/**
 * Linux: names a file without opening it. A file that was opened must be closed, and the system then lets go of every lock
 * this process has on it, which SQLite relies on.
 */
const O_PATH = 0o10000000;

/**
 * Closes a data folder to the other users of the machine: the ledger and the logs are the user's. Only what is their own
 * is changed, and no link is followed. Of a folder that is not Pawl's alone only Pawl's entries are closed.
 * Returns a sentence about what was done; null where nothing was open.
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

/** Whether it was open to others and is not any more. */
function closeToOthers(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch {
    // Gone meanwhile: a file of SQLite's beside the ledger.
    return false;
  }
  try {
    const { mode, uid, nlink } = fstatSync(file);
    const kind = mode & constants.S_IFMT;
    // A second name of a file may stand somewhere that is not Pawl's.
    const isPlain = kind === constants.S_IFDIR || (kind === constants.S_IFREG && nlink === 1);
    if (!isPlain || uid !== process.getuid?.() || (mode & OTHERS) === 0) return false;
    chmodSync(`/proc/self/fd/${file}`, mode & 0o7777 & ~OTHERS);
    return (fstatSync(file).mode & OTHERS) === 0;
  } catch {
    // A file system without modes, or one that is not to be written: the work itself may still be possible.
    return false;
  } finally {
    closeSync(file);
  }
}
