import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../shared/errors.ts';

/**
 * Makes a new empty folder in the scratch folder, for short-lived files. Rejects with `usage` if the scratch folder
 * belongs to another user (its name can be guessed, and everyone can write to the system's folder for temporary
 * files), or cannot be made.
 */
export async function makeScratch(root: string, name: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 }).catch(error => {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code)) throw error;
    const where = dirname(root);
    throw new PawlError(
      'usage',
      `Temporary files cannot be written in ${where} (${code}); set TMPDIR to a folder you own.`,
    );
  });
  if (!(await isOwnFolder(root))) {
    throw new PawlError('usage', `${root} is not your folder; remove it, because Pawl works there.`);
  }
  return mkdtemp(join(root, `${name}-`));
}

/**
 * Removes a scratch folder with everything in it. Leaves to the system whatever still cannot be removed, and folders
 * of other users.
 */
export async function removeScratch(folder: string): Promise<void> {
  if (!(await isOwnFolder(folder))) return;
  await open(folder).catch(() => {});
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}

/** Restores permissions that a program may have removed, from the top down. */
async function open(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const place of await readdir(folder, { withFileTypes: true })) {
    if (place.isDirectory()) await open(join(folder, place.name));
  }
}

async function isOwnFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}

/** The prefix of the markers of all agent trials: the data folder's name among folders for temporary files. */
export function trialOwner(scratch: string): string {
  return basename(scratch);
}

/** Carried by every process of one agent trial. */
export function trialMarker(scratch: string): string {
  return `${trialOwner(scratch)}/${randomUUID()}`;
}
