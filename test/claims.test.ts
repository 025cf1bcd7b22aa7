import { expect, test } from 'vitest';
import { describeClaims, type StudyClaims } from '../src/shared/verdicts/claims.ts';

const claims: StudyClaims = {
  goal: 'minimize',
  ...{ noise: 5.3, repeats: 11, isRepeatable: false, hasVaried: true },
  keeps: [{ n: 2, probability: 0.7, isProven: false }],
  baseline: { mean: 122, runs: 4 },
  best: { mean: 120, runs: 6 },
  headline: { difference: -2.5, error: 5.3, runs: 4 },
  seeds: [],
};
const gainOf = (more: Partial<StudyClaims>) => describeClaims({ ...claims, ...more })[0];

test('a difference in the wrong direction is never called a gain', () => {
  const worse = { ...claims.best, mean: 123 };
  expect(gainOf({})).toBe('Gain over 4 fresh runs: −2.5 ± 5.3 (on record −2).');
  expect(gainOf({ headline: { difference: 2.5, error: 5.3, runs: 4 } })).toBe(
    'No gain over 4 fresh runs: +2.5 ± 5.3 (on record −2).',
  );
  expect(gainOf({ goal: 'maximize' })).toBe('No gain over 4 fresh runs: −2.5 ± 5.3 (on record −2).');
  expect(gainOf({ headline: null })).toBe('Not audited, so no gain is claimed; the gain on record is −2.');
  expect(gainOf({ headline: null, best: worse })).toBe(
    'Not audited, so no gain is claimed; on record there is none: +1.',
  );
  expect(gainOf({ isRepeatable: true })).toBe('Gain: −2, repeatable with this seed.');
  expect(gainOf({ isRepeatable: true, best: claims.baseline })).toBe(
    'No gain: ±0, repeatable with this seed.',
  );
});

test('of runs that all gave the same number the noise is an assumption', () => {
  expect(describeClaims({ ...claims, keeps: [] })).toEqual([
    'Runs of the same code differ by σ 5.3 (11 repeats).',
  ]);
  expect(describeClaims({ ...claims, keeps: [], hasVaried: false, repeats: 1 })).toEqual([
    'Runs of the same code gave the same number (1 repeat); σ 5.3 is assumed.',
  ]);
  expect(describeClaims({ ...claims, keeps: [], hasVaried: false, repeats: 0 })).toEqual([
    'Runs of the same code differ by σ 5.3 (assumed; nothing was repeated).',
  ]);
});

test('how many keeps may be luck is said as a limit, because the probabilities are modest', () => {
  const keepsOf = (...probabilities: readonly number[]) =>
    describeClaims({
      ...claims,
      keeps: probabilities.map((probability, at) => ({
        n: at + 1,
        probability,
        isProven: probability > 0.95,
      })),
    })[1];
  expect(keepsOf(0.7)).toBe('1 keep, 0 proven; it may be luck.');
  expect(keepsOf(0.4, 0.5, 0.99)).toBe('3 keeps, 1 proven; up to 2 of them may be luck.');
  expect(keepsOf(0.99, 0.98)).toBe('2 keeps, 2 proven.');
});
