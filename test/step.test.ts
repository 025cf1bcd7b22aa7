import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Effect,
  type LoopEvent,
  type LoopState,
  MAX_REPAIRS,
  type Measured,
  step,
} from '../src/engine/session/step.ts';
import { findStop } from '../src/engine/session/stop-rules.ts';
import { decide } from '../src/engine/stages/judge/decide.ts';
import { DEFAULT_METRIC } from '../src/shared/contract-defaults.ts';
import type { Crash, Verdict } from '../src/shared/study.ts';

const metric = { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize', memory: 'peak_vram_mb' } as const;

const fresh: LoopState = {
  metric,
  limits: {},
  facts: { experiments: 0, best: null, sinceKeep: 0, crashesInRow: 0 },
  next: 0,
  incumbent: null,
  wish: 'go',
  canRepair: false,
  maxRefusals: 3,
  refusals: 0,
  repairs: 0,
  reruns: 0,
};
const running: LoopState = {
  ...fresh,
  facts: { ...fresh.facts, best: 1 },
  next: 1,
  incumbent: { n: 0, metric: 1 },
};
const oops: Crash = { class: 'exception', message: 'oops', tail: [] };
const measured = (change: Partial<Measured>): LoopEvent => ({
  type: 'measured',
  ...{ n: 1, k: 0, crash: null, value: 0.9, memory: null, sourceLinesDelta: 0, unfair: [] },
  pruned: null,
  guard: null,
  source: null,
  ...change,
});

test('the baseline comes first', () => {
  expect(step(fresh, { type: 'started', interrupted: null }, 0).effect).toEqual({ type: 'take_baseline' });
});

test('an interrupted experiment is trained again when it has an attempt and proposed again when it has none', () => {
  const at = (hasAttempt: boolean) =>
    step({ ...running, next: 6 }, { type: 'started', interrupted: { n: 5, hasAttempt } }, 0).effect;
  expect(at(true)).toEqual({ type: 'train', n: 5 });
  expect(at(false)).toEqual({ type: 'propose', n: 5, repair: null });
});

test('a baseline without a number ends the study', () => {
  const { effect, state } = step(fresh, measured({ n: 0, crash: oops, value: null }), 0);
  expect(effect).toMatchObject({ type: 'record', verdict: { word: 'crash', reason: 'exception' } });
  if (effect.type !== 'record') throw new Error('not recorded');
  expect(step(state, { type: 'recorded', n: 0, verdict: effect.verdict }, 0).effect).toMatchObject({
    type: 'stop',
    reason: 'baseline_failed',
  });
});

test('a crash is handed back for repair twice at most, and only to a proposer that can', () => {
  let state: LoopState = { ...running, canRepair: true };
  for (let count = 0; count < MAX_REPAIRS; count += 1) {
    const result = step(state, measured({ crash: oops, value: null }), 0);
    expect(result.effect).toMatchObject({ type: 'propose', n: 1, repair: { crash: oops } });
    state = result.state;
  }
  expect(step(state, measured({ crash: oops, value: null }), 0).effect.type).toBe('record');
  expect(step(running, measured({ crash: oops, value: null }), 0).effect.type).toBe('record');
});

test('a timeout is not a slip to be repaired', () => {
  const crash: Crash = { ...oops, class: 'timeout' };
  expect(step({ ...running, canRepair: true }, measured({ crash, value: null }), 0).effect.type).toBe(
    'record',
  );
});

test('a repair that came to nothing leaves the crash as the verdict', () => {
  const event: LoopEvent = { ...(measured({ crash: oops, value: null }) as Measured), type: 'repair_failed' };
  expect(step({ ...running, canRepair: true, repairs: 1 }, event, 0).effect).toMatchObject({
    type: 'record',
    verdict: { word: 'crash' },
  });
});

test('refused proposals are asked for again until there are too many in a row', () => {
  const refused: LoopEvent = { type: 'refused', message: 'no' };
  let { state, effect } = step(running, refused, 0);
  expect(effect).toMatchObject({ type: 'propose', n: 1 });
  ({ state, effect } = step(state, refused, 0));
  expect(effect).toMatchObject({ type: 'propose', n: 1 });
  ({ effect } = step(state, refused, 0));
  expect(effect).toMatchObject({ type: 'stop', reason: 'proposer' });
});

test('the wishes to pause and to stop take effect between experiments', () => {
  const recorded: LoopEvent = {
    type: 'recorded',
    n: 1,
    verdict: { word: 'discard', reason: 'worse', evidence: { run: 0, metric: 2 } },
  };
  expect(step({ ...running, wish: 'pause' }, recorded, 0).effect).toEqual({ type: 'wait' });
  expect(step({ ...running, wish: 'stop' }, recorded, 0).effect).toMatchObject({
    type: 'stop',
    reason: 'user',
  });
  expect(step(running, { type: 'wished', wish: 'stop' }, 0).effect).toMatchObject({ reason: 'user' });
});

/** Runs the loop against a made-up world: each attempt's value is the next of `values`, null for a crash. */
function play(values: readonly (number | null)[], limits: LoopState['limits']) {
  let state: LoopState = { ...fresh, limits };
  let event: LoopEvent = { type: 'started', interrupted: null };
  const rest = [...values];
  const log: { n: number; word: string; value: number | null }[] = [];
  for (let turn = 0; turn < 10_000; turn += 1) {
    const next: { state: LoopState; effect: Effect } = step(state, event, 0);
    state = next.state;
    const { effect } = next;
    if (effect.type === 'stop') return { log, reason: effect.reason, state };
    if (effect.type === 'take_baseline') event = { type: 'attempted', n: 0 };
    else if (effect.type === 'propose') {
      event = rest.length > 0 ? { type: 'proposed', n: effect.n } : { type: 'exhausted', message: '' };
    } else if (effect.type === 'attempt') event = { type: 'attempted', n: effect.n };
    else if (effect.type === 'train') {
      const value = rest.shift() ?? null;
      event = measured({ n: effect.n, value, crash: value === null ? oops : null });
    } else if (effect.type === 'record') {
      log.push({ n: effect.n, word: effect.verdict.word, value: effect.verdict.evidence.metric ?? null });
      event = { type: 'recorded', n: effect.n, verdict: effect.verdict };
    } else throw new Error(effect.type);
  }
  throw new Error('the loop does not end');
}

test('whatever is measured, keeps only ever get better and the incumbent is the last of them', () => {
  const value = fc.option(fc.double({ min: 0.5, max: 2, noNaN: true }), { nil: null });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), values => {
      const { log, state, reason } = play(values, {});
      const kept = log.filter(entry => entry.word === 'keep').map(entry => entry.value ?? Number.NaN);
      for (let index = 1; index < kept.length; index += 1)
        expect(kept[index]).toBeLessThan(kept[index - 1] ?? 0);
      expect(state.incumbent?.metric ?? null).toBe(kept.at(-1) ?? null);
      expect(state.facts.best).toBe(kept.at(-1) ?? null);
      expect(log.map(entry => entry.n)).toEqual([...log.keys()]);
      expect(reason).toBe(values[0] === null ? 'baseline_failed' : 'exhausted');
    }),
  );
});

test.each([
  ['experiments', { experiments: 2 }, [1, 2, 3, 0.5], 3],
  ['target', { target: 0.9 }, [1, 2, 0.9, 0.5], 3],
  ['patience', { patience: 2 }, [1, 0.9, 2, 2, 0.5], 4],
  ['crashes', { crashes: 2 }, [1, null, 2, null, null, 0.5], 5],
] as const)('the rule %s ends the study in time', (reason, limits, values, finished) => {
  const result = play(values, limits);
  expect(result.reason).toBe(reason);
  expect(result.log).toHaveLength(finished);
});

test('the deadline holds from its instant on', () => {
  const facts = running.facts;
  expect(findStop({ deadline: 100 }, facts, 'minimize', 99)).toBeNull();
  expect(findStop({ deadline: 100 }, facts, 'minimize', 100)?.reason).toBe('deadline');
});

test('a target is reached from above when the goal is to maximize', () => {
  const facts = { ...running.facts, best: 5 };
  expect(findStop({ target: 6 }, facts, 'maximize', 0)).toBeNull();
  expect(findStop({ target: 5 }, facts, 'maximize', 0)?.reason).toBe('target');
});

const judged = {
  metric,
  run: 0,
  crash: null,
  value: 1,
  memory: null,
  incumbent: { experiment: 3, value: 1 },
  sourceLinesDelta: 0,
  unfair: [] as const,
  pruned: null,
  guard: null,
  source: null,
};

test.each([
  ['better', { value: 0.999 }, 'keep', 'better'],
  ['worse', { value: 1.001 }, 'discard', 'worse'],
  ['equal', {}, 'discard', 'equal'],
  ['equal with fewer lines', { sourceLinesDelta: -1 }, 'keep', 'simplified'],
  ['equal with more lines', { sourceLinesDelta: 1 }, 'discard', 'equal'],
  ['worse with fewer lines', { value: 1.1, sourceLinesDelta: -50 }, 'discard', 'worse'],
  ['first', { incumbent: null }, 'keep', 'baseline'],
  ['not measured', { value: null }, 'crash', 'no_metric'],
  ['crashed with a number', { crash: oops, value: 0.1 }, 'crash', 'exception'],
])('an attempt that is %s gets its verdict', (_, change, word, reason) => {
  expect(decide({ ...judged, ...change })).toMatchObject({ word, reason });
});

test('a better value above the memory limit is discarded, and an unmeasured memory is not above it', () => {
  const limited = { ...judged, metric: { ...metric, memoryLimit: 100 }, value: 0.5 };
  expect(decide({ ...limited, memory: 101 })).toMatchObject({ word: 'discard', reason: 'memory_limit' });
  expect(decide({ ...limited, memory: 100 })).toMatchObject({ word: 'keep' });
  expect(decide({ ...limited, memory: null })).toMatchObject({ word: 'keep' });
});

test('a run that was not fair is run again twice, and then decides with a note', () => {
  let state = running;
  for (const reruns of [1, 2]) {
    const result = step(state, measured({ unfair: ['throttled'] }), 0);
    expect(result.effect).toEqual({ type: 'train', n: 1 });
    expect(result.state.reruns).toBe(reruns);
    state = result.state;
  }
  const last = step(state, measured({ unfair: ['throttled'] }), 0);
  expect(last.effect).toMatchObject({
    type: 'record',
    verdict: { word: 'keep', evidence: { unfair: ['throttled'] } },
  });
  const recorded = step(
    last.state,
    { type: 'recorded', n: 1, verdict: (last.effect as { verdict: Verdict }).verdict },
    0,
  );
  expect(recorded.state.reruns).toBe(0);
  // A crash is a crash on any machine, and who wants to stop gets the number there is.
  expect(step(running, measured({ unfair: ['throttled'], crash: oops, value: null }), 0).effect.type).toBe(
    'record',
  );
  expect(step({ ...running, wish: 'stop' }, measured({ unfair: ['suspended'] }), 0).effect.type).toBe(
    'record',
  );
});

test('what belongs to the machine is run again before a pause, and not after the deadline', () => {
  const unfair = measured({ unfair: ['suspended'] });
  expect(step({ ...running, wish: 'pause' }, unfair, 0).effect.type).toBe('train');
  const late = { ...running, limits: { deadline: 5 } };
  expect(step(late, unfair, 4).effect.type).toBe('train');
  expect(step(late, unfair, 5).effect.type).toBe('record');
  // Memory that somebody else held says nothing of the code.
  const full: Crash = { class: 'out_of_memory', message: 'full', tail: [] };
  const crashed = (...kinds: Measured['unfair']) => measured({ unfair: kinds, crash: full, value: null });
  expect(step(running, crashed('shared'), 0).effect.type).toBe('train');
  expect(step(running, crashed('throttled'), 0).effect.type).toBe('record');
});

test('evidence names the numbers and leaves out what was not measured', () => {
  expect(decide({ ...judged, value: 0.9 }).evidence).toEqual({
    run: 0,
    metric: 0.9,
    incumbentExperiment: 3,
    incumbentMetric: 1,
    sourceLinesDelta: 0,
  });
  expect(decide({ ...judged, incumbent: null, value: null }).evidence).toEqual({ run: 0 });
});
