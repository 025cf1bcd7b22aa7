import { delimiter } from 'node:path';
import { expect, test } from 'vitest';
import { listedGpus } from './support/gpu-stand-ins.ts';
import { eventsOf, sitting } from './support/pawl.ts';
import { contractFile, FAST_TRAINER } from './support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from './support/study.ts';

/** Reaches a better number with the same code on the second GPU. */
const TRAINER = FAST_TRAINER.replace(
  /^printf/m,
  '[ "$CUDA_VISIBLE_DEVICES" = GPU-2 ] && value=$((value - 300000))\nprintf',
);

test('of two GPUs of this machine with different models, the one without the baseline screens', async () => {
  const night = await prepareNight({ trainer: TRAINER, contract: contractFile({ limitSeconds: 600 }) });
  const gpus = await listedGpus([
    { uuid: 'GPU-1', name: 'Test GPU' },
    { uuid: 'GPU-2', name: 'Faster GPU' },
  ]);
  const args = ['run', night.repository, '--tag', TAG, '-n', '8', '--lanes', 'gpu:all'];
  const env = { PATH: `${gpus}${delimiter}${process.env.PATH}` };
  const { code, stderr, events } = await sitting(args, { home: night.home, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(eventsOf(events, 'warning').map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^GPU 1: Faster GPU has another GPU than the baseline\. It screens/),
  );
  const { experiments, runs } = rowsOf(night.home);
  const trainedOn = (model: string) =>
    new Set(runs.flatMap(({ lane, purpose, n }) => (lane?.includes(model) && !purpose ? [n] : [])));
  const [counting, screened] = [trainedOn('Test GPU'), trainedOn('Faster GPU')];
  expect(screened.size).toBeGreaterThan(0);
  expect(runs.find(({ purpose }) => purpose === 'reference')).toMatchObject({ n: 0 });
  expect(experiments.map(({ phase }) => phase)).toEqual(Array(9).fill('recorded'));
  for (const { n, reason, metric } of experiments) {
    expect(reason === 'screened').toBe(!counting.has(n));
    // Below 1 it would be from the other GPU.
    if (counting.has(n)) expect(metric).toBeGreaterThanOrEqual(1);
    else expect(metric).toBeNull();
  }
  await checkNight(night);
});
