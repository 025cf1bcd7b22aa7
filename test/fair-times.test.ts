import { expect, test } from 'vitest';
import { fairTimes } from '../src/engine/stages/judge/study-budget.ts';
import { budgetOf } from '../src/shared/contract/budget.ts';
import { DEFAULT_BUDGET } from '../src/shared/contract/contract-defaults.ts';
import type { RunOutcome } from '../src/shared/study.ts';
import type { Fairness, FairnessFlag } from '../src/shared/verdicts/fairness.ts';

const run = (seconds: number, kind?: FairnessFlag['kind'], isUnfair = true) => {
  const flags = kind === undefined ? [] : [{ kind, detail: '', isUnfair }];
  const rest = { smClockMhz: null, stepsPerSecond: null, samples: 0, foreign: [] };
  const outcome: RunOutcome = { kind: 'exit', code: 0 };
  return { outcome, summary: null, fairness: { flags, seconds, ...rest } satisfies Fairness };
};

const secondsOf = (...given: Parameters<typeof fairTimes>) =>
  fairTimes(...given).map(({ seconds }) => seconds);

test('runs of the baseline that other programs slowed count where they slow every run, and nowhere else', () => {
  const runs = [run(30), run(35, 'contended'), run(37, 'contended'), run(36, 'contended')];
  const latest = (...flags: readonly (FairnessFlag['kind'] | undefined)[]) =>
    flags.map(kind => run(1, kind).fairness);
  expect(secondsOf(runs, latest('contended', 'contended', 'contended'))).toEqual([30, 35, 37, 36]);
  expect(secondsOf(runs, latest('contended', 'contended', undefined))).toEqual([30]);
  expect(secondsOf(runs, latest('contended', 'contended'))).toEqual([30]);
  expect(secondsOf([run(30), run(50, 'cold')], latest('contended', 'contended', 'contended'))).toEqual([30]);
});

test('where every run is slowed, a run gets the time that the slowed baseline took', () => {
  const budget = { ...DEFAULT_BUDGET, seconds: 30, limitSeconds: 90 };
  const runs = [run(30), run(35, 'contended'), run(37, 'contended'), run(36, 'contended')];
  const busy = runs.slice(1).map(({ fairness }) => fairness);
  expect(budgetOf(budget, fairTimes(runs, busy))).toMatchObject({ kind: 'time-boxed', allowedSeconds: 39 });
  expect(budgetOf(budget, fairTimes(runs, []))).toMatchObject({ kind: 'time-boxed', allowedSeconds: 33 });
});
