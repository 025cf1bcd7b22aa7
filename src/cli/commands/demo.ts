import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createSample } from '../../engine/samples/create-sample.ts';
import { PawlError } from '../../shared/errors.ts';
import { FIRST_SAMPLE, type SampleName } from '../../shared/samples.ts';
import { run, type SittingFlags } from './run.ts';

const DEMO_EXPERIMENTS = 6;

/** Makes a sample in a new repository, and runs a short study on it. */
export async function demo({
  sample = FIRST_SAMPLE,
  ...flags
}: SittingFlags & { readonly into?: string; readonly sample?: SampleName }): Promise<void> {
  const folder = flags.into ? resolve(flags.into) : join(await mkdtemp(join(tmpdir(), 'pawl-demo-')), sample);
  const entries = await readdir(folder).catch(() => []);
  if (entries.length > 0) throw new PawlError('usage', `${folder} is not empty.`);
  await createSample(folder, sample);
  await run(folder, { experiments: DEMO_EXPERIMENTS, ...flags, isSample: true });
  if (flags.json) return;
  process.stdout.write(
    [
      '',
      'See what was tried:',
      `  npx pawl results -C ${folder}`,
      `  npx pawl show 1 --diff -C ${folder}`,
      `  git -C ${folder} log --oneline --all --graph`,
      '',
    ].join('\n'),
  );
}
