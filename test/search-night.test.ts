import { expect, test } from 'vitest';
import { type Chooser, playNight } from '../bench/search-night.ts';

const SOURCE = 'STEP = 1\n';

/** Counts up, so that every proposal is new. */
const count: Chooser = (_, history) => {
  const to = String(history.length + 1);
  const moves = [{ file: 'train.py', name: 'STEP', direction: 'up' as const, from: '1', to }];
  return { moves, memo: { moves, values: to }, because: '', expectedGain: null, expectedError: null };
};

/** How often a night of 60 experiments trains each source. */
async function trainedTimes(measure: (source: string) => number): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  await playNight(SOURCE, count, 1, 60, source => {
    times.set(source, (times.get(source) ?? 0) + 1);
    return measure(source);
  });
  return times;
}

test('a night of the bench trains a best again once, and the baseline never, as a study does', async () => {
  const best = 'STEP = 3\n';
  const times = await trainedTimes(source => (source === best ? 1 : 2));
  expect(times.get(best)).toBe(2);
  expect(times.get(SOURCE)).toBe(1);
  const without = await trainedTimes(source => (source === SOURCE ? 1 : 2));
  expect(without.get(SOURCE)).toBe(1);
});
