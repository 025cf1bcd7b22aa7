import { cp, mkdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git } from '../repo/git.ts';
import { PAWL_IDENTITY } from '../repo/repository.ts';

const SAMPLE = fileURLToPath(new URL('../../../resources/samples/byte-lm', import.meta.url));

/** Copies the sample project into a new folder and commits it to a fresh repository there. */
export async function createSample(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(SAMPLE, folder, { recursive: true, filter: source => basename(source) !== '__pycache__' });
  await git(folder, ['init', '--quiet', '--initial-branch=main']);
  await git(folder, ['add', '--all']);
  await git(folder, ['commit', '--quiet', '--message=Start from the byte-lm sample'], { env: PAWL_IDENTITY });
}
