import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { layOutCaches, settleCaches } from '../src/engine/sandbox/run-caches.ts';
import { temporaryFolder } from './support/scaffold.ts';

test('the first run of a further lane gets a copy of what the baseline compiled', async () => {
  const folder = await temporaryFolder();
  const cold = { steps: null, stepsWhenCold: null, maxBytes: 1_000_000 };
  const { isWarm } = await layOutCaches(folder, folder);
  await mkdir(join(folder, 'caches/go-build'));
  await writeFile(join(folder, 'caches/go-build/object'), 'compiled');
  expect(await settleCaches(folder, folder, { isWarm, ...cold })).toContain('it compiled 1 KiB');

  for (const lane of [folder, join(folder, 'lanes/1')]) {
    expect(await layOutCaches(folder, lane)).toEqual({ isWarm: true });
    expect(await readFile(join(lane, 'caches/go-build/object'), 'utf8')).toBe('compiled');
  }
});

test('what libraries made of data in the run that fills the caches is there in no other run', async () => {
  const folder = await temporaryFolder();
  const { isWarm } = await layOutCaches(folder, folder);
  for (const [name, file] of [
    ['go-build', 'object'],
    ['huggingface/datasets/json', 'cache-0123456789abcdef.arrow'],
  ] as const) {
    await mkdir(join(folder, 'caches', name), { recursive: true });
    await writeFile(join(folder, 'caches', name, file), 'made');
  }
  await settleCaches(folder, folder, { isWarm, steps: null, stepsWhenCold: null, maxBytes: 1_000_000 });

  expect(await layOutCaches(folder, folder)).toEqual({ isWarm: true });
  expect(await readdir(join(folder, 'caches'))).toEqual(['go-build']);
});
