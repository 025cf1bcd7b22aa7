import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIRST_SAMPLE, type SampleName } from '../../shared/samples.ts';
import { git } from '../git/git.ts';
import { PAWL_IDENTITY } from '../git/repository.ts';

/** Where the samples lie in a checkout. A host that was built elsewhere passes its own place. */
const SAMPLES = fileURLToPath(new URL('../../../resources/samples', import.meta.url));

/** Copies a sample project into a new folder and commits it to a fresh repository there. */
export async function createSample(
  folder: string,
  name: SampleName = FIRST_SAMPLE,
  samples = SAMPLES,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(join(samples, name), folder, {
    recursive: true,
    filter: source => basename(source) !== '__pycache__',
  });
  await git(folder, ['init', '--quiet', '--initial-branch=main']);
  await git(folder, ['add', '--all']);
  await git(folder, ['commit', '--quiet', `--message=Start from the ${name} sample`], { env: PAWL_IDENTITY });
}
