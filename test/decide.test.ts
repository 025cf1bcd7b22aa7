import { expect, test } from 'vitest';
import { decide } from '../src/engine/stages/judge/decide.ts';
import { DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import type { Crash } from '../src/shared/study.ts';

const metric = { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize', memory: 'peak_vram_mb' } as const;
const oops: Crash = { class: 'exception', message: 'oops', tail: [] };

const judged = {
  metric,
  run: 0,
  crash: null,
  value: 1,
  memory: null,
  incumbent: { experiment: 3, value: 1, runs: 1 },
  simplifiedBound: 1,
  sourceLinesDelta: 0,
  unfair: [] as const,
  early: null,
  guard: null,
  source: null,
  hints: [],
  probe: null,
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
