import { expect, test } from 'vitest';
import { countTried, describeTried, isTried } from '../src/shared/tried.ts';
import { tallyOf } from './support/progress-rows.ts';

const words = (tally: Parameters<typeof tallyOf>[0]) => describeTried(countTried(tallyOf(tally)));

test('the baseline is none of those that were tried, whatever came of it', () => {
  expect(words({ keep: 8, discard: 5, crash: 1 })).toBe('13 tried: 7 kept, 5 discarded, 1 crashed');
  expect(words({ keep: 0, crash: 1, baselineVerdict: 'crash' })).toBe(
    '0 tried: 0 kept, 0 discarded, 0 crashed',
  );
  expect(words({ keep: 0, baselineVerdict: null })).toBe('0 tried: 0 kept, 0 discarded, 0 crashed');
  expect([0, 1].map(n => isTried({ n }, false))).toEqual([false, true]);
});

test('of an imported table every row was tried, also one with another word', () => {
  const table = { keep: 23, discard: 102, crash: 1, finished: 128, baselineVerdict: null } as const;
  expect(words(table)).toBe('128 tried: 23 kept, 102 discarded, 1 crashed, 2 other');
  expect(isTried({ n: 0 }, true)).toBe(true);
});
