import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../shared/errors.ts';

/**
 * A new empty folder in the scratch folder, for what need not outlive the engine. Rejects with `usage` where the scratch
 * folder is somebody else's (its name can be guessed, and the system's folder for temporary files is everybody's), or cannot be made.
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
 * Removes a scratch folder with whatever was made of it. What cannot be removed all the same is left to the system, and
 * so is a folder of somebody else's.
 */
export async function removeScratch(folder: string): Promise<void> {
  if (!(await isOwnFolder(folder))) return;
  await open(folder).catch(() => {});
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}

/** Takes back the rights that who worked there may have taken away, from the top down. */
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

/** What the marks of all trials of agents begin with: the data folder's name among folders for temporary files. */
export function trialOwner(scratch: string): string {
  return basename(scratch);
}

/** Carried by every process of one trial of an agent. */
export function trialMarker(scratch: string): string {
  return `${trialOwner(scratch)}/${randomUUID()}`;
}
