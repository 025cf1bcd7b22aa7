import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_REPAIRS, MAX_UNANSWERED } from '../src/engine/session/loop/after-run.ts';
import type { Effect, LoopEvent, LoopState } from '../src/engine/session/loop/loop-state.ts';
import { NO_PROBES } from '../src/engine/session/loop/probes.ts';
import { incumbentOf, NO_SEEDS } from '../src/engine/session/loop/repeats.ts';
import { step } from '../src/engine/session/loop/step.ts';
import type { CrashedRun, Measured } from '../src/engine/stages/measure/measured.ts';
import type { AcceptedEdit } from '../src/engine/stages/propose/propose.ts';
import type { EndedRun } from '../src/engine/stages/train/ended-run.ts';
import type { Unfinished } from '../src/engine/stages/unfinished.ts';
import { DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import type { Crash, Verdict } from '../src/shared/study.ts';
import { GOING_ON, ONLY_LANE } from './support/loop-state.ts';

const metric = { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize', memory: 'peak_vram_mb' } as const;

const fresh: LoopState = {
  ...ONLY_LANE,
  ...GOING_ON,
  metric,
  limits: {},
  facts: { experiments: 0, best: null, sinceKeep: 0, crashesInRow: 0 },
  fresh: 0,
  repeats: {
    ...({ rule: 'greedy', goal: 'minimize' } as const),
    ...{
      trials: [],
      tried: [],
      discards: 0,
      runs: 0,
      auditedAt: 0,
      spent: 0,
      baselineRuns: 2,
      granted: null,
      fresh: [],
    },
    probes: NO_PROBES,
    seeds: NO_SEEDS,
  },
};
const running: LoopState = {
  ...fresh,
  facts: { ...fresh.facts, best: 1 },
  fresh: 1,
  repeats: { ...fresh.repeats, trials: [{ n: 0, values: [1], parent: null, isKept: true }] },
};
const oops: Crash = { class: 'exception', message: 'oops', tail: [] };
const runOf = (change: Partial<Measured> = {}): Measured => ({
  ...{ n: 1, k: 0, parent: 0, crash: null, value: 0.9, memory: null, sourceLinesDelta: 0, unfair: [] },
  early: null,
  guard: null,
  source: null,
  hints: [],
  ...change,
});
/** A run whose end is not written yet. */
const endOf = ({ n, k, crash, value, memory, early, guard }: Measured): EndedRun => ({
  ...{ n, k, commit: 'c1', run: 7, metric: value, memory, early, guard, startedAt: 0, endedAt: 0 },
  result: {
    outcome: { kind: 'exit', code: 0 },
    summary: null,
    crash,
    resources: { peakRssBytes: null, cpuSeconds: null },
    outputBytes: 0,
    units: {},
    fairness: { flags: [], smClockMhz: null, samples: 0, foreign: [] },
    gpuEnergyWh: null,
  },
  finished: { type: 'phase', n, phase: 'measuring' },
});
const measured = (change: Partial<Measured> = {}): Extract<LoopEvent, { type: 'measured' }> => {
  const run = runOf(change);
  return { type: 'measured', run, ended: endOf(run), denial: null };
};
const attempted = (n: number): LoopEvent => ({ type: 'attempted', n, commit: 'c1' });
const edit: AcceptedEdit = {
  kind: 'edit',
  paths: ['train.py'],
  digest: 'd1',
  sourceLines: 3,
  proposal: { hypothesis: 'h', rationale: null, predictedEffect: null, category: null, memo: null },
  start: 'c0',
  repairOf: null,
};

test('the baseline comes first', () => {
  expect(step(fresh, { type: 'started' }, 0).effect).toEqual({ type: 'take_baseline' });
});

test('an interrupted experiment is trained again when it has an attempt and proposed again when it has none', () => {
  const at = (unfinished: Unfinished) =>
    step({ ...running, fresh: 5, unfinished }, { type: 'started' }, 0).effect;
  const train = { type: 'train', n: 5, commit: 'c1', unfair: null, isResumed: true };
  expect(at({ n: 5, at: 'attempt', commit: 'c1' })).toEqual(train);
  expect(at({ n: 5, at: 'proposal' })).toEqual({ type: 'propose', n: 5, repair: null });
});

test('what waits for the user or for its number waits on after a pause, and a stop rule goes before', () => {
  const crashed: CrashedRun = { ...runOf({ n: 5 }), crash: oops };
  const review: Unfinished = { n: 5, at: 'review', repair: crashed };
  const number: Unfinished = { n: 5, at: 'number', isResumed: false };
  const pausing: LoopState = { ...running, fresh: 5, wish: 'pause' };
  for (const unfinished of [review, number]) {
    const disturbed = step(pausing, { type: 'disturbed', unfinished }, 0);
    expect(disturbed.effect).toEqual({ type: 'wait' });
    const on = step({ ...disturbed.state, wish: 'go' }, { type: 'wished', wish: 'go' }, 0);
    expect(on.effect).toEqual(
      unfinished === review
        ? { type: 'review', n: 5, repair: crashed }
        : { type: 'await_number', n: 5, ended: null, isResumed: false },
    );
    expect(on.state.unfinished).toBeNull();
  }
  const late = { ...running, limits: { deadline: 5 } };
  expect(step(late, { type: 'disturbed', unfinished: number }, 5).effect).toMatchObject({
    reason: 'deadline',
  });
});

test('what one stage made reaches the next', () => {
  expect(step(running, { type: 'proposed', n: 1, edit }, 0).effect).toEqual({ type: 'attempt', n: 1, edit });
  const train = { type: 'train', n: 1, commit: 'c1', unfair: null, isResumed: false };
  expect(step(running, attempted(1), 0).effect).toEqual(train);
  const result = measured();
  expect(step(running, result, 0).effect).toMatchObject({ type: 'record', n: 1, ended: result.ended });
  const { run: _, type: __, ...rest } = result;
  const awaiting: LoopEvent = { ...rest, type: 'awaiting', n: 1, unfair: [] };
  const wait = { type: 'await_number', n: 1, ended: result.ended, isResumed: false };
  expect(step(running, awaiting, 0).effect).toEqual(wait);
  const aborted = step(running, { type: 'aborted', n: 1, ended: result.ended }, 0).effect;
  const reason = { kind: 'stopped' };
  expect(aborted).toEqual({ type: 'set_aside', n: 1, ended: result.ended, reason });
  expect(step(running, { type: 'set_aside', reason: { kind: 'stopped' } }, 0).effect).toEqual({
    ...{ type: 'stop', reason: 'user', detail: null },
  });
});

test('a run whose model did not answer is set aside, and run again after a pause that nobody has to end', () => {
  let state = running;
  const denial = { kind: 'failed', message: 'no server' } as const;
  for (let count = 0; count < MAX_UNANSWERED; count += 1) {
    const aside = step(state, { ...measured(), denial }, 0);
    expect(aside.effect).toMatchObject({ type: 'set_aside', n: 1, reason: { kind: 'unanswered' } });
    const waiting = step(aside.state, { type: 'set_aside', reason: { kind: 'unanswered', message: '' } }, 0);
    expect(waiting).toMatchObject({ effect: { type: 'wait' }, state: { isBlocked: true } });
    const on = step({ ...waiting.state, wish: 'go' }, { type: 'wished', wish: 'go' }, 0);
    expect(on.effect).toMatchObject({ type: 'train', n: 1, commit: 'c1', isResumed: true });
    state = on.state;
  }
  // What it asks is the more likely cause by now.
  expect(step(state, { ...measured(), denial }, 0).effect.type).toBe('record');
});

test('a run that was not answered because the cap is reached ends the sitting, and is run again in the next', () => {
  const denial = { kind: 'spent', message: 'enough' } as const;
  const { state, effect } = step(running, { ...measured(), denial }, 0);
  expect(effect).toMatchObject({ type: 'set_aside', reason: { kind: 'spent', message: 'enough' } });
  expect(state.unfinished).toEqual({ n: 1, at: 'attempt', commit: 'c1' });
  if (effect.type !== 'set_aside') throw new Error('not set aside');
  const stop = step(state, { type: 'set_aside', reason: effect.reason }, 0).effect;
  expect(stop).toEqual({ type: 'stop', reason: 'spend', detail: 'enough' });
});

test('what another machine refuses ends the study, once the other lanes have done what they are at', () => {
  const { state, effect } = step(running, { type: 'not_trained', n: 1, message: 'no such partition' }, 0);
  expect(effect).toMatchObject({ type: 'set_aside', n: 1, ended: null, reason: { kind: 'refused' } });
  if (effect.type !== 'set_aside') throw new Error('not set aside');
  const busy = { ...state, beside: { ...state.beside, isBusy: true } };
  const event: LoopEvent = { type: 'set_aside', reason: effect.reason };
  expect(step(busy, event, 0).effect).toEqual({ type: 'rest' });
  const stop = { type: 'stop', reason: 'error', detail: 'no such partition' };
  expect(step(state, event, 0).effect).toEqual(stop);
  // Of a commit that has its verdict nothing is set aside.
  expect(step(running, { type: 'not_trained', n: null, message: 'no such partition' }, 0).effect).toEqual(
    stop,
  );
});

test('a run that no machine has taken yet makes way for a stop, a pause, a refusal and the deadline, and is run later', () => {
  const unfinished: Unfinished = { n: 1, at: 'attempt', commit: 'c1' };
  const putOff = (state: LoopState, now = 0) => {
    const event: LoopEvent = { type: 'put_off', attempt: { n: 1, commit: 'c1' }, message: 'too many' };
    const aside = step(state, event, now);
    const reason = { kind: 'put_off', message: 'too many' } as const;
    expect(aside.effect).toEqual({ type: 'set_aside', n: 1, ended: null, reason });
    expect(aside.state.unfinished).toEqual(unfinished);
    return step(aside.state, { type: 'set_aside', reason }, now);
  };
  expect(putOff({ ...running, wish: 'stop' }).effect).toMatchObject({ type: 'stop', reason: 'user' });
  expect(putOff({ ...running, limits: { deadline: 5 } }, 5).effect).toMatchObject({ reason: 'deadline' });
  expect(putOff({ ...fresh, limits: { deadline: 5 } }, 5).effect).toMatchObject({ reason: 'deadline' });
  const halted = { reason: 'error', detail: 'no such partition' } as const;
  expect(putOff({ ...running, halted }).effect).toEqual({ type: 'stop', ...halted });
  const paused = putOff({ ...running, wish: 'pause' });
  expect(paused.effect).toEqual({ type: 'wait' });
  const on = step({ ...paused.state, wish: 'go' }, { type: 'wished', wish: 'go' }, 0);
  expect(on.effect).toEqual({ type: 'train', n: 1, commit: 'c1', unfair: null, isResumed: true });
  // What has its verdict is not set aside, and what was measured is judged without its probe.
  const again: LoopEvent = { type: 'put_off', attempt: null, message: 'too many' };
  expect(step({ ...running, wish: 'pause' }, again, 0).effect).toEqual({ type: 'wait' });
  const probing = { ...running.repeats, probes: { ...NO_PROBES, isPossible: true } };
  const suspect = { ...running, repeats: probing, wish: 'pause' } as const;
  const waiting = step(suspect, measured({ hints: ['validation'] }), 0);
  expect(waiting.effect).toMatchObject({ type: 'repeat', purpose: 'probe' });
  const judged = { type: 'record', n: 1, verdict: { word: 'keep' } };
  expect(step(waiting.state, again, 0).effect).toMatchObject(judged);
  const refused: LoopEvent = { type: 'not_trained', n: null, message: 'no such partition' };
  expect(step({ ...waiting.state, wish: 'go' }, refused, 0).effect).toMatchObject(judged);
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
    expect(result.effect).toMatchObject({
      ...{ type: 'propose', n: 1 },
      repair: { run: { crash: oops }, count: count + 1 },
    });
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
  const run = { ...runOf({ value: null }), crash: oops };
  const event: LoopEvent = { type: 'repair_failed', run };
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
  let event: LoopEvent = { type: 'started' };
  const rest = [...values];
  const log: { n: number; word: string; value: number | null }[] = [];
  for (let turn = 0; turn < 10_000; turn += 1) {
    const next: { state: LoopState; effect: Effect } = step(state, event, 0);
    state = next.state;
    const { effect } = next;
    if (effect.type === 'stop') return { log, reason: effect.reason, state };
    if (effect.type === 'take_baseline') event = attempted(0);
    else if (effect.type === 'propose') {
      event = rest.length > 0 ? { type: 'proposed', n: effect.n, edit } : { type: 'exhausted', message: '' };
    } else if (effect.type === 'attempt') event = attempted(effect.n);
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
      expect(incumbentOf(state.repeats)?.value ?? null).toBe(kept.at(-1) ?? null);
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

test('a run that was not fair is run again twice, and then decides with a note', () => {
  let state = running;
  for (const reruns of [1, 2]) {
    const unfair = measured({ unfair: ['throttled'] });
    const result = step(state, unfair, 0);
    const again = { type: 'train', n: 1, commit: 'c1', unfair: unfair.ended, isResumed: false };
    expect(result.effect).toEqual(again);
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
