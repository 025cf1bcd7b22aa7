import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { FIRST_SAMPLE, type SampleName } from '../../shared/samples.ts';
import { git } from '../git/git.ts';
import { PAWL_IDENTITY } from '../git/repository.ts';
import { findResource } from '../resources.ts';

/** Copies a sample project into a new folder and commits it to a fresh repository there. */
export async function createSample(folder: string, name: SampleName = FIRST_SAMPLE): Promise<void> {
  const sample = findResource(join('samples', name));
  if (sample === null) throw new PawlError('usage', `This Pawl was installed without the sample ${name}.`);
  await mkdir(folder, { recursive: true });
  await cp(sample, folder, {
    recursive: true,
    filter: source => basename(source) !== '__pycache__',
  });
  await git(folder, ['init', '--quiet', '--initial-branch=main']);
  await git(folder, ['add', '--all']);
  await git(folder, ['commit', '--quiet', `--message=Start from the ${name} sample`], { env: PAWL_IDENTITY });
}
