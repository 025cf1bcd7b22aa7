import { expect, test } from 'vitest';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import type { LoopState } from '../src/engine/session/loop/loop-state.ts';
import { NO_PROBES } from '../src/engine/session/loop/probes.ts';
import { afterRepeat, findClosing, NO_SEEDS, type Repeats } from '../src/engine/session/loop/repeats.ts';
import { step } from '../src/engine/session/loop/step.ts';
import { trialsOf } from '../src/engine/stages/judge/trials.ts';
import { ruleOf } from '../src/engine/stages/judge/verdict-rule.ts';
import type { EndedRun } from '../src/engine/stages/train/ended-run.ts';
import { assess } from '../src/engine/statistics/claims.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';
import { DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import { VALID } from './support/contracts.ts';
import { GOING_ON, ONLY_LANE } from './support/loop-state.ts';

const minute = 60_000;

const trials = [
  { n: 0, values: [1, 1.001], parent: null, isKept: true },
  { n: 1, values: [0.9], parent: 0, isKept: true },
];

/** A study with a gain that nobody has measured anew, an hour before its deadline. */
const closing: LoopState = {
  ...{
    metric: { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize' },
    limits: { deadline: 100 * minute },
  },
  facts: { experiments: 1, best: 0.9, sinceKeep: 0, crashesInRow: 0 },
  ...ONLY_LANE,
  ...GOING_ON,
  ...{ fresh: 2, runMs: 5 * minute },
  repeats: {
    ...{
      rule: 'honest',
      goal: 'minimize',
      trials,
      tried: [],
      discards: 0,
      runs: 3,
      auditedAt: 0,
      spent: 0,
    },
    ...{ baselineRuns: 2, granted: null, fresh: [], probes: NO_PROBES, seeds: NO_SEEDS },
  },
};

test('a further run that was not fair counts for nothing, and is run again twice', () => {
  let state: LoopState = { ...closing, ending: { reason: 'experiments', detail: null } };
  for (const _ of [1, 2, 3]) {
    const { effect } = step(state, { type: 'started' }, 0);
    expect(effect).toEqual({ type: 'repeat', n: 1, purpose: 'headline', before: null });
    const unfair = {
      type: 'repeated',
      n: 1,
      purpose: 'headline',
      value: 0.9,
      isOwnFailure: false,
      unfair: ['throttled'],
    } as const;
    const judged = step(state, { ...unfair, denial: null, ended: {} as EndedRun }, 0);
    expect(judged.effect).toMatchObject({ type: 'record_repeat', value: null, rolledBack: null });
    state = judged.state;
  }
  expect(step(state, { type: 'started' }, 0).effect).toEqual({
    type: 'repeat',
    n: 0,
    purpose: 'headline',
    before: null,
  });
});

test('before a deadline there is time left for the runs that measure the gain, and nothing runs after it', () => {
  const at = (minutes: number, repeats = closing.repeats) =>
    step({ ...closing, repeats }, { type: 'started' }, minutes * minute).effect;
  // Five runs of five minutes: one more experiment, and the headline.
  expect(at(75)).toEqual({ type: 'propose', n: 2, repair: null });
  expect(at(75.1)).toEqual({ type: 'repeat', n: 1, purpose: 'headline', before: null });
  expect(at(95)).toMatchObject({ type: 'repeat' });
  expect(at(95.1)).toMatchObject({ type: 'stop', reason: 'deadline' });
  const fresh = [1, 0, 1, 0];
  expect(at(90, { ...closing.repeats, fresh })).toMatchObject({ type: 'propose' });
  // Without a gain nothing has to be measured.
  expect(at(90, { ...closing.repeats, trials: trials.slice(0, 1) })).toMatchObject({ type: 'propose' });
});

test('what was begun goes on before the time left is kept for the headline, and a crash tells nothing of how long a run takes', () => {
  const unfinished = { n: 2, at: 'attempt', commit: 'c2' } as const;
  const { effect } = step({ ...closing, unfinished }, { type: 'started' }, 90 * minute);
  expect(effect).toMatchObject({ type: 'train', n: 2 });
  const crash = { class: 'exception', message: 'oops', tail: [] } as const;
  const run = {
    ...{
      n: 2,
      k: 0,
      parent: 1,
      crash,
      value: null,
      memory: null,
      sourceLinesDelta: 0,
      unfair: [],
      early: null,
    },
    ...{ guard: null, source: null, hints: [] },
  };
  const ended = { startedAt: 0, endedAt: 2_000 } as EndedRun;
  const crashed = step(closing, { type: 'measured', run, ended, denial: null }, 0);
  expect(crashed.state.runMs).toBe(5 * minute);
});

test('an audit takes no more trainings than it was granted, the headline among them', () => {
  for (const granted of [1, 4, 7, 20]) {
    let repeats: Repeats = { ...closing.repeats, granted, runs: 300 };
    let taken = 0;
    for (let due = findClosing(repeats); due; due = findClosing(repeats)) {
      // Numbers that leave it open whether there is a gain.
      repeats = afterRepeat(
        repeats,
        due,
        due.n === 0 ? 1 + 0.02 * (taken % 3) : 0.99 + 0.02 * (taken % 4),
        true,
      );
      taken += 1;
    }
    expect(taken, `of ${granted}`).toBeLessThanOrEqual(granted);
    expect(taken).toBeGreaterThan(0);
  }
});

test('what gave no number when it was audited is not asked again', () => {
  const open: Repeats = { ...closing.repeats, granted: 20 };
  const first = findClosing(open);
  expect(first?.purpose).toBe('audit');
  const second = first && findClosing(afterRepeat(open, first, null, true));
  expect(second).not.toEqual(first);
});

test('fewer lines are no claim, and what breaks a condition is no evidence', () => {
  const entry = (n: number, reason: string, change: Partial<HistoryEntry> = {}): HistoryEntry => ({
    ...{ n, hypothesis: '', category: null, memo: null, verdict: 'keep', reason, metric: 1, record: 1 },
    ...{ incumbentMetric: null, incumbent: n === 0 ? null : 0, guard: null },
    ...change,
  });
  const guard = { kind: 'check', name: 'tests', wanted: 'make test', found: 'exit 1', tail: [] } as const;
  const trials = trialsOf(
    [
      entry(0, 'baseline'),
      entry(1, 'guard', { verdict: 'discard', metric: 0.5, guard }),
      entry(2, 'simplified'),
      entry(3, 'rolled_back', { verdict: 'discard', metric: 0.9 }),
    ],
    [{ n: 0, purpose: 'baseline', value: 1.001, isCrashed: false, crashClass: null, isNewest: false }],
  );
  expect(trials.map(({ n, values, isTakenBack }) => [n, values.length, isTakenBack])).toEqual([
    [0, 2, undefined],
    [2, 1, undefined],
    [3, 1, true],
  ]);
  expect(assess(trials)?.claims).toEqual([]);
});

test('where a repeat would say nothing new nothing is repeated', () => {
  const contract = parsePawlToml(VALID, 'pawl.toml');
  expect(ruleOf(contract)).toBe('honest');
  expect(ruleOf({ ...contract, metric: { ...contract.metric, waitSeconds: 60 } })).toBe('greedy');
  expect(ruleOf({ ...contract, model: { name: 'small', baseUrl: null } })).toBe('greedy');
});
