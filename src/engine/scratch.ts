import { chmod, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../shared/errors.ts';

/**
 * A new empty folder in the scratch folder, for what need not outlive the engine. Rejects with `usage` where the scratch
 * folder is somebody else's: its name can be guessed, and the system's folder for temporary files is everybody's.
 */
export async function makeScratch(root: string, name: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const found = await lstat(root);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new PawlError('usage', `${root} is not a folder of yours; remove it, for Pawl works there.`);
  }
  return mkdtemp(join(root, `${name}-`));
}

/** Removes a scratch folder with whatever was made of it; what cannot be removed all the same is left to the system. */
export async function removeScratch(folder: string): Promise<void> {
  const places = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const place of places) {
    // Who worked there may have taken rights away.
    if (place.isDirectory()) await chmod(join(place.parentPath, place.name), 0o700).catch(() => {});
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}
