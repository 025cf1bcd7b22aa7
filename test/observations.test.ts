import { describe, expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { observe } from '../src/engine/proposers/search/observations.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';

describe('what the search observes', () => {
  const constants = findConstants('f', 'A = 4\n');
  const memo = (to: string) => ({
    moves: [{ file: 'f', name: 'A', direction: 'up', from: '1', to }],
    values: `f:A=${to}`,
  });
  const entry = (n: number, record: number | null, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
    ...{ n, record, metric: record, hypothesis: '', category: null, guard: null, memo: null },
    ...{ verdict: 'discard', reason: 'worse', incumbent: 0, incumbentMetric: 10 },
    ...more,
  });
  const baseline = entry(0, 10, { verdict: 'keep', reason: 'baseline', incumbent: null });
  const keep = { verdict: 'keep', reason: 'better' } as const;
  const valuesOf = (history: readonly HistoryEntry[], n: number) =>
    observe(constants, history, { n, metric: 0 }, 'minimize').map(({ n: own, value }) => [own, value]);

  test('a discard whose number does not count, and a crash, are bad, and the gain of code is not that of constants', () => {
    const history = [
      baseline,
      entry(1, 1, { reason: 'guard', memo: memo('2') }),
      entry(2, null, { verdict: 'crash', reason: 'oom', memo: memo('3') }),
      entry(3, 12, { memo: memo('5') }),
      entry(4, 7, keep),
    ];
    expect(observe(constants, history, { n: 4, metric: 7 }, 'minimize')).toEqual([
      { n: 0, texts: ['1'], value: 7 },
      { n: 1, texts: ['2'], value: null },
      { n: 2, texts: ['3'], value: null },
      { n: 3, texts: ['5'], value: 9 },
      { n: 4, texts: ['4'], value: 7 },
    ]);
  });

  test('a commit that was measured again has its record, also if that took it back', () => {
    const history = [
      { ...baseline, record: 11 },
      entry(1, 10.5, { metric: 8, reason: 'rolled_back', memo: memo('2') }),
      entry(2, 9, { ...keep, metric: 8.5, memo: memo('4') }),
    ];
    expect(valuesOf(history, 2)).toEqual([
      [0, 11],
      [1, 10.5],
      [2, 9],
    ]);
  });

  test('the gain of code counts for what was made on it, and for nothing else', () => {
    const history = [
      baseline,
      // Taken back later, because its number did not come from the data.
      entry(1, 4, { reason: 'memorised' }),
      entry(2, 4.5, { incumbent: 1, memo: memo('2') }),
      entry(3, 11, { memo: memo('3') }),
      entry(4, 9, keep),
      // Begun before the fourth was kept.
      entry(5, 12, { incumbent: 4, lateParent: 0, memo: memo('5') }),
    ];
    expect(valuesOf(history, 4)).toEqual([
      [0, 9],
      [2, 9.5],
      [3, 10],
      [4, 9],
      [5, 11],
    ]);
  });
});
