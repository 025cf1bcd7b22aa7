import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type LanesState,
  type PerformedEffect,
  startLanes,
  stepLanes,
} from '../src/engine/session/loop/lanes.ts';
import type { LoopEvent, StudyState } from '../src/engine/session/loop/loop-state.ts';
import { NO_PROBES } from '../src/engine/session/loop/probes.ts';
import { incumbentOf, NO_SEEDS, type Repeats } from '../src/engine/session/loop/repeats.ts';
import type { Measured } from '../src/engine/stages/measure/measured.ts';
import type { AcceptedEdit } from '../src/engine/stages/propose/propose.ts';
import type { EndedRun } from '../src/engine/stages/train/ended-run.ts';
import { DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import { GOING_ON } from './support/loop-state.ts';

const repeats: Repeats = {
  ...({ rule: 'honest', goal: 'minimize', trials: [], tried: [], discards: 0, runs: 0 } as const),
  ...{
    auditedAt: 0,
    spent: 0,
    baselineRuns: 2,
    granted: null,
    fresh: [],
    probes: NO_PROBES,
    seeds: NO_SEEDS,
  },
};
const fresh: StudyState = {
  ...GOING_ON,
  metric: { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize' },
  ...{ limits: { experiments: 12 }, fresh: 0, repeats },
  facts: { experiments: 0, best: null, sinceKeep: 0, crashesInRow: 0 },
};
const edit = {} as AcceptedEdit;
const ended = { startedAt: 0, endedAt: 1_000 } as EndedRun;

/** What a study in several lanes could go through, drawn at random. */
class Play {
  state: LanesState;
  readonly #random: (count: number) => number;
  /** By experiment, the one that was the incumbent when it was begun. */
  readonly #parents = new Map<number, number | null>();
  /** By lane. */
  readonly busy = new Map<number, PerformedEffect>();
  readonly verdicts: number[] = [];
  mostAtOnce = 0;

  constructor(
    lanes: number,
    screening: number,
    random: (count: number) => number,
    start: Parameters<typeof startLanes>[0] = { study: fresh, begun: [] },
  ) {
    const places = Array.from({ length: lanes }, (_, at) => ({
      label: null,
      isScreening: at >= lanes - screening,
      model: at >= lanes - screening ? 'B' : 'A',
    }));
    this.state = startLanes(start, places);
    this.#random = random;
  }

  /** Until the study ends. Returns why. */
  play(): string {
    let step = stepLanes(this.state, { lane: null, event: { type: 'started' } }, 0);
    for (let steps = 0; steps < 2_000; steps += 1) {
      this.state = step.state;
      for (const { lane, effect } of step.effects) this.#begin(lane, effect);
      if (step.idle) {
        expect(this.busy.size, 'lanes that do something while the study is idle').toBe(0);
        return step.idle.type === 'stop' ? step.idle.reason : step.idle.type;
      }
      expect(this.busy.size, 'lanes that do something').toBeGreaterThan(0);
      const lane = this.#next();
      const effect = this.busy.get(lane);
      this.busy.delete(lane);
      if (!effect) throw new Error(`lane ${lane} does nothing`);
      const isScreening = this.state.lanes[lane]?.screensOn != null;
      step = stepLanes(this.state, { lane, event: this.#whatCameOf(effect, isScreening) }, 0);
    }
    throw new Error('the study does not end');
  }

  #begin(lane: number, effect: PerformedEffect): void {
    expect(this.busy.has(lane), 'a lane does one thing at a time').toBe(false);
    this.busy.set(lane, effect);
    const own = this.state.lanes[lane]?.n;
    const open = this.state.lanes.flatMap(({ n }) => (n === null ? [] : [n]));
    const counting = this.state.lanes.filter(({ screensOn }) => screensOn === null);
    const screened = this.state.begun.filter(({ isScreened }) => isScreened);
    expect(screened.length, 'screened experiments that wait').toBeLessThan(
      counting.length + this.state.lanes.length,
    );
    expect(new Set(open).size, 'an experiment is in one lane only').toBe(open.length);
    this.mostAtOnce = Math.max(this.mostAtOnce, open.length);
    const isReference = effect.type === 'repeat' && effect.purpose === 'reference';
    if (effect.type === 'repeat' || effect.type === 'take_baseline')
      expect(this.state.lanes[lane]?.screensOn, `${effect.type} where it counts`).toBe(
        isReference ? 'B' : null,
      );
    if (effect.type === 'take_back' || effect.type === 'take_baseline')
      expect(this.busy.size, `${effect.type} is done alone`).toBe(1);
    if (effect.type === 'propose' && own != null)
      this.#parents.set(own, incumbentOf(this.state.study.repeats)?.experiment ?? null);
  }

  /** What is being written is done before anything else is judged, as the driver does it. */
  #next(): number {
    const lanes = [...this.busy.keys()];
    const writing = lanes.find(lane => /^record|take_back/.test(this.busy.get(lane)?.type ?? ''));
    return writing ?? lanes[this.#random(lanes.length)] ?? 0;
  }

  #whatCameOf(effect: PerformedEffect, isScreening: boolean): LoopEvent {
    const value = 1 + this.#random(1_000) / 10_000;
    switch (effect.type) {
      case 'take_baseline':
        return { type: 'attempted', n: 0, commit: 'c0' };
      case 'propose':
        if (this.#random(10) === 0) return { type: 'refused', message: 'no' };
        return { type: 'proposed', n: effect.n, edit };
      case 'attempt':
        return { type: 'attempted', n: effect.n, commit: `c${effect.n}` };
      case 'train': {
        const { n } = effect;
        const crash =
          n > 0 && this.#random(8) === 0 ? ({ class: 'exception', message: '', tail: [] } as const) : null;
        const run: Measured = {
          ...{ n, k: 0, parent: this.#parents.get(n) ?? null, crash, value: crash ? null : value },
          ...{
            memory: null,
            sourceLinesDelta: 0,
            unfair: isScreening ? (['other_hardware'] as const) : [],
            screening: isScreening && this.#random(2) === 0 ? { experiment: 0, value: 1.05 } : null,
            early: null,
            guard: null,
            source: null,
            hints: [],
          },
        };
        return { type: 'measured', run, ended, denial: null };
      }
      case 'set_aside':
        expect([isScreening, effect.reason.kind]).toEqual([true, 'screened']);
        return { type: 'set_aside', reason: effect.reason };
      case 'record':
        if (isScreening) expect(effect.verdict.word, 'of a screening').not.toBe('keep');
        this.verdicts.push(effect.n);
        return { type: 'recorded', n: effect.n, verdict: effect.verdict };
      case 'repeat':
        return {
          ...{ type: 'repeated', n: effect.n, purpose: effect.purpose, value, isOwnFailure: false },
          ...{ unfair: [], denial: null, ended },
        };
      case 'record_repeat':
        return { type: 'repeat_recorded', n: effect.n, purpose: effect.purpose, value: effect.value };
      default:
        throw new Error(`${effect.type} is not played`);
    }
  }
}

test('with any number of lanes a study tries what is wanted, each experiment once, and ends', () => {
  let mostAtOnce = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.nat(7),
      fc.infiniteStream(fc.nat(1_000_000)),
      (lanes, others, draws) => {
        const screening = others % lanes;
        const play = new Play(lanes, screening, count => (draws.next().value ?? 0) % count);
        const why = play.play();
        // Too many refusals in a row end it earlier.
        if (why !== 'proposer') expect(why).toBe('experiments');
        const numbers = play.verdicts.toSorted((a, b) => a - b);
        expect(new Set(numbers).size, 'verdicts on one experiment').toBe(numbers.length);
        if (why === 'experiments') expect(numbers).toEqual(Array.from({ length: 13 }, (_, n) => n));
        expect(play.mostAtOnce).toBeLessThanOrEqual(lanes);
        mostAtOnce = Math.max(mostAtOnce, play.mostAtOnce);
      },
    ),
    { numRuns: 60 },
  );
  expect(mostAtOnce).toBeGreaterThan(4);
});

/** A study that has its baseline and three experiments that were begun, and is to try four. */
const interrupted = {
  ...{ ...fresh, limits: { experiments: 4 }, fresh: 4 },
  repeats: {
    ...{ ...repeats, baselineRuns: 1 },
    trials: [{ n: 0, values: [1], parent: null, isKept: true }],
  },
};
const begunAt = (n: number) => ({
  unfinished: { n, at: 'attempt', commit: `c${n}` } as const,
  ...{ repairs: 0, lane: null, isScreened: false },
});

test('what was begun goes on in the lane it was in, before anything new, and is not one more than is wanted', () => {
  const begun = [1, 2, 3].map(n => ({
    ...begunAt(n),
    lane: ['lab, GPU 10: H100, node1', null, 'lab, GPU 1: H100'][n - 1] ?? null,
  }));
  const places = [0, 1, 10].map(gpu => ({
    label: `lab, GPU ${gpu}: H100`,
    isScreening: false,
    model: 'H100',
  }));
  const state = startLanes({ study: interrupted, begun }, places);
  const { effects } = stepLanes(state, { lane: null, event: { type: 'started' } }, 0);
  const trained = effects.flatMap(({ lane, effect }) => (effect.type === 'train' ? [[lane, effect.n]] : []));
  expect(trained.toSorted()).toEqual([
    [0, 2],
    [1, 3],
    [2, 1],
  ]);
  // The one that is left to try is not begun in the place of one that waits for its lane.
  const one = { study: { ...interrupted, limits: { experiments: 1 } }, begun: begun.slice(2) };
  const two = startLanes(one, places.slice(0, 2));
  const first = stepLanes(two, { lane: null, event: { type: 'started' } }, 0);
  expect(first.effects).toEqual([{ lane: 1, effect: expect.objectContaining({ type: 'train', n: 3 }) }]);
});

test('one lane goes on with all that several had begun, before it begins anything new', () => {
  const begun = [1, 2, 3].map(n => ({ ...begunAt(n), isScreened: n === 2 }));
  const play = new Play(1, 0, () => 1, { study: interrupted, begun });
  expect(play.play()).toBe('experiments');
  expect(play.verdicts).toEqual([1, 2, 3, 4]);
});
