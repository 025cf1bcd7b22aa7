import { expect, test } from 'vitest';
import type { Price } from '../src/engine/proposers/model/prices.ts';
import { LEAST_MEASURED, type Measured, planSpend } from '../src/engine/proposers/model/spend-plan.ts';
import { describeSpendPlan, type SpendPlan, shareOf } from '../src/shared/proposers/spend-plan.ts';

const PRICE: Price = { input: 4, cacheWrite: 5, cacheRead: 0.2, output: 20 };
const NOTHING: Measured = { costsUsd: [], experiments: 0 };
const PROMPT = { promptBytes: 30_000, isCacheWarm: false };

const measured = (costsUsd: readonly number[], experiments = costsUsd.length): Measured => ({
  costsUsd,
  experiments,
});
const plan = (here: Measured, elsewhere: Measured = NOTHING) =>
  planSpend({ price: PRICE, here, elsewhere, ...PROMPT });

test('a plan is the median and the quartiles of what experiments cost here', () => {
  expect(plan(measured([0.05, 0.04, 0.06, 0.03, 0.9]), measured(Array(50).fill(7)))).toEqual({
    kind: 'planned',
    eachUsd: { low: 0.04, median: 0.05, high: 0.06 },
    basis: { kind: 'here', experiments: 5 },
  });
});

test('experiments that cost nothing, because the search turned constants for the model, make the others cheaper', () => {
  const found = plan(measured([0.04, 0.04, 0.04, 0.04, 0.04], 20));
  expect(found).toMatchObject({ eachUsd: { low: 0.01, median: 0.01, high: 0.01 } });
  expect(found).toMatchObject({ basis: { kind: 'here', experiments: 20 } });
});

test('with too few here others count, and without them it is an estimate', () => {
  const few = measured(Array(LEAST_MEASURED - 1).fill(0.04));
  const enough = measured(Array(LEAST_MEASURED).fill(0.08));
  expect(plan(few, enough)).toMatchObject({
    eachUsd: { median: 0.08 },
    basis: { kind: 'elsewhere', experiments: LEAST_MEASURED },
  });
  expect(plan(few, few)).toMatchObject({ basis: { kind: 'estimated' } });
});

test('a model without a price has no plan, whatever was measured', () => {
  const here = measured(Array(9).fill(1));
  expect(planSpend({ price: null, here, elsewhere: here, ...PROMPT })).toEqual({ kind: 'unpriced' });
});

function estimate(changes: { promptBytes?: number; isCacheWarm?: boolean; price?: Price } = {}) {
  const found = planSpend({ price: PRICE, here: NOTHING, elsewhere: NOTHING, ...PROMPT, ...changes });
  if (found.kind !== 'planned') throw new Error('there is no plan');
  return found.eachUsd;
}

test('an estimate goes by the prompt, by the cache and by every rate of the price', () => {
  const { low, median, high } = estimate();
  expect(low).toBeLessThan(median);
  expect(median).toBeLessThan(high);
  // 10,000 tokens are written once a conversation; with the cache still warm they are read.
  expect(high).toBeGreaterThan(0.05);
  expect(high).toBeLessThan(1);
  expect(estimate({ promptBytes: 60_000 }).low - low).toBeGreaterThan((7_500 * 5) / 1e6);
  expect(estimate({ isCacheWarm: true }).low).toBeLessThan(low - (7_500 * 4) / 1e6);
  expect(estimate({ price: { input: 0, cacheWrite: 0, cacheRead: 0, output: 0 } }).high).toBe(0);
  const dear: Price = {
    ...PRICE,
    above: { tokens: 100_000, input: 40, cacheWrite: 50, cacheRead: 2, output: 200 },
  };
  expect(estimate({ price: dear })).toEqual(estimate());
  expect(estimate({ price: dear, promptBytes: 600_000 }).low).toBeGreaterThan(
    5 * estimate({ promptBytes: 600_000 }).low,
  );
});

const planned = (
  low: number,
  high: number,
  basis: Extract<SpendPlan, { kind: 'planned' }>['basis'],
): SpendPlan => ({
  kind: 'planned',
  eachUsd: { low, median: (low + high) / 2, high },
  basis,
});
const HERE = { kind: 'here', experiments: 34 } as const;

test.each<readonly [SpendPlan, number | null, string]>([
  [planned(0.04, 0.06, HERE), 100, 'about $4–6 for 100 experiments at m (from 34 earlier experiments here)'],
  [
    planned(0.0421, 0.0577, HERE),
    1,
    'about $0.042–0.058 for 1 experiment at m (from 34 earlier experiments here)',
  ],
  [
    planned(0.04, 0.06, { kind: 'elsewhere', experiments: 7 }),
    null,
    'about $0.04–0.06 an experiment at m (from 7 earlier experiments in other repositories)',
  ],
  [
    planned(1.42, 1.58, { kind: 'estimated' }),
    1_000,
    'about $1,400–1,600 for 1,000 experiments at m (estimated: nothing was measured yet)',
  ],
  [
    planned(0.0401, 0.0402, HERE),
    100,
    'about $4 for 100 experiments at m (from 34 earlier experiments here)',
  ],
  [
    planned(0, 0, { kind: 'estimated' }),
    5,
    'about $0 for 5 experiments at m (estimated: nothing was measured yet)',
  ],
  [planned(1e-9, 1e-9, HERE), 1, 'about $0.0001 for 1 experiment at m (from 34 earlier experiments here)'],
  [{ kind: 'unpriced' }, 100, 'no price is known for m, so there is no estimate'],
])('a plan in words: %#', (found, experiments, words) => {
  expect(describeSpendPlan(found, 'm', experiments)).toBe(`Planned spend: ${words}.`);
});

test('of proposers that take turns each is asked for its share', () => {
  expect(shareOf(100, 3, true)).toBe(34);
  expect(shareOf(100, 3, false)).toBe(100);
  expect(shareOf(null, 3, true)).toBeNull();
});
