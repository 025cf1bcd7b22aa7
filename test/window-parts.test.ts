import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAvailable } from '../src/renderer/app/command.ts';
import { ALL_COMMANDS, COMMANDS } from '../src/renderer/app/commands.ts';
import { EXPERIMENT_COMMANDS } from '../src/renderer/app/experiment-commands.ts';
import { type State, useStore } from '../src/renderer/app/store.ts';
import { newArm } from '../src/renderer/features/set-up/set-up-arm.ts';
import {
  contractOf,
  formOf,
  isContractWhole,
  readForm,
  spendBasisOf,
} from '../src/renderer/features/set-up/set-up-form.ts';
import { describeMeasure } from '../src/renderer/features/set-up/set-up-summaries.ts';
import { tellCalls } from '../src/renderer/format/call-words.ts';
import { newStudySchema } from '../src/shared/calls/call-inputs.ts';
import { contractFromFile } from '../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract/contract-schema.ts';
import { LANE_WORDS_HINT } from '../src/shared/machines/lanes.ts';
import type { Cell } from '../src/shared/notebook.ts';
import {
  ABSENT,
  formatBytes,
  formatClock,
  formatDelta,
  formatDuration,
  formatMetric,
  formatNumber,
  formatPercent,
  formatRelative,
  formatSeconds,
} from '../src/shared/numbers.ts';
import type { CallOutcome, ModelCall } from '../src/shared/proposers/model-calls.ts';

describe('numbers', () => {
  test('a number that was not measured is a dash, never 0', () => {
    for (const format of [
      formatNumber,
      formatMetric,
      formatDelta,
      formatPercent,
      formatDuration,
      formatBytes,
    ]) {
      expect(format(null)).toBe(ABSENT);
    }
  });

  test('NaN and infinities are named', () => {
    expect(
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(value => formatNumber(value)),
    ).toEqual(['NaN', '∞', '−∞']);
  });

  test('a metric has six decimals while it is small, so that a column lines up', () => {
    expect(formatMetric(0.9979)).toBe('0.997900');
    expect(formatMetric(-0.9979)).toBe('−0.997900');
    expect(formatMetric(1234.5)).toBe('1,234.500');
  });

  test('a number is written as Intl writes it, without the time Intl takes to begin', () => {
    const written = new Intl.NumberFormat('en', { minimumFractionDigits: 6, maximumFractionDigits: 6 });
    fc.assert(
      fc.property(
        // What is rounded up to 100 has fewer decimals.
        fc.integer({ min: 6 - 1e9, max: 1e9 - 6 }),
        fc.integer({ min: 7, max: 10 }),
        (digits, shift) => {
          const value = digits / 10 ** shift;
          expect(formatMetric(value)).toBe(written.format(value).replace('-', '−'));
        },
      ),
    );
    for (const value of [0, -0, 0.5, 1.0000005, 0.9979005, -0.9979005, 99.9999994]) {
      expect(formatMetric(value)).toBe(written.format(value).replace('-', '−'));
    }
    expect(formatMetric(1e22)).toBe('10,000,000,000,000,000,000,000');
  });

  test('a difference has its sign, and zero has both', () => {
    expect([-0.0001, 0.0001, 0].map(formatDelta)).toEqual(['−0.000100', '+0.000100', '±0.000000']);
  });

  test('durations and clocks carry over to the next unit', () => {
    expect([2.5, 120, 121, 330, 600, 3600, 5400].map(seconds => formatSeconds(seconds))).toEqual([
      ...['2.5 s', '120 s', '2 min 01 s', '5 min 30 s', '10 min', '1 h', '1 h 30 min'],
    ]);
    expect([2, 119.96, 300.4].map(seconds => formatSeconds(seconds, 1))).toEqual([
      '2.0 s',
      '120.0 s',
      '5 min',
    ]);
    expect([6.84, 59.6, 245, 3599.7, 7_800].map(formatDuration)).toEqual([
      '6.8 s',
      '1 min 00 s',
      '4 min 05 s',
      '1 h 00 min',
      '2 h 10 min',
    ]);
    expect([0, 65, 3_725].map(formatClock)).toEqual(['0:00', '1:05', '1:02:05']);
  });

  test('sizes are in powers of 1024', () => {
    expect([512, 1536, 45 * 1024 ** 2].map(formatBytes)).toEqual(['512 B', '1.5 KB', '45.0 MB']);
  });

  test('a time is told by its distance', () => {
    const now = 1_000_000_000_000;
    const ago = (seconds: number) => formatRelative(now - seconds * 1000, now);
    expect([3, 12 * 60, 5 * 3_600, 3 * 86_400].map(ago)).toEqual([
      'just now',
      '12 min ago',
      '5 h ago',
      '3 days ago',
    ]);
  });
});

test('what is spent is planned for the form as it is, without the fields that are not right yet', () => {
  const form = { ...formOf(null, 'night'), editable: 'a.py\n\n src/* ', instructions: ' ', budget: '60' };
  expect(spendBasisOf('/repo', form)).toEqual({
    ...{ path: '/repo', editable: ['a.py', 'src/*'], instructions: null, budgetSeconds: 60 },
    experiments: 100,
  });
  expect(spendBasisOf('/repo', { ...form, experiments: '1.5', budget: 'x' })).toMatchObject({
    ...{ budgetSeconds: null, experiments: null },
  });
  const arms = [newArm('model'), newArm('search')];
  expect(spendBasisOf('/repo', { ...form, arms }).experiments).toBe(100);
  expect(spendBasisOf('/repo', { ...form, arms, routing: 'alternate' }).experiments).toBe(50);
});

test('of the calls those with something to say are told, what is alike once', () => {
  const call = (outcome: CallOutcome, message: string | null = null): ModelCall => ({
    ...{ n: 1, at: 0, proposer: 'model a', model: 'a', requestId: null, outcome, message },
    tokens: { input: 1, cacheRead: null, cacheWrite: null, output: 1 },
    ...{ costUsd: 0, seconds: 1, isKept: false },
  });
  expect(
    tellCalls([
      call('ok'),
      call('rate_limited', 'The server limits the rate: wait'),
      call('rate_limited', 'The server limits the rate: wait'),
      call('truncated'),
      call('ok', 'b answered instead of a.'),
      call('refusal', 'The model declined to answer.'),
      call('open'),
    ]),
  ).toEqual([
    { text: 'The server limits the rate: wait', count: 2 },
    { text: 'truncated', count: 1 },
    { text: 'b answered instead of a.', count: 1 },
    { text: 'The model declined to answer.', count: 1 },
  ]);
});

describe('the set-up form', () => {
  const contract = contractFromFile(
    contractFileSchema.parse({
      contract: { editable: ['src/*.c', 'Makefile'], train: 'make bench', environment: ['CC', 'CFLAGS'] },
      metric: {
        ...{ name: 'ops_per_second', goal: 'maximize', memory: 'rss', memory_limit: 100 },
        ...{ pattern: 'ops ([0-9.]+)', require: { correctness: 'PASS' } },
      },
      checks: { tests: 'make test' },
      model: { name: 'claude-haiku-5-5', base_url: 'http://127.0.0.1:1' },
      budget: { seconds: 10, limit_seconds: 60, prune: true },
      stop: { patience: 5 },
      sandbox: { mode: 'required', network: true, writes: ['build', 'out/*'], reads: ['~/data'] },
      cluster: { engine: 'slurm', lanes: 8, folder: '~/pawl-cluster', sbatch: ['--gres=gpu:1'] },
    }),
  );

  test('gives back the contract it was filled in from', () => {
    const again = contractFromFile(contractFileSchema.parse(contractOf(formOf(contract, 'mar5'))));
    expect({ ...again, stop: {} }).toEqual({ ...contract, stop: {} });
  });

  test('starts a study the host takes', () => {
    const { study, problems } = readForm('/repo', formOf(contract, 'mar5'));
    expect(problems).toEqual({});
    expect(newStudySchema.safeParse(study).success).toBe(true);
    expect(study).toMatchObject({
      tag: 'mar5',
      stop: { patience: 5, experiments: 100 },
      proposer: { kind: 'search' },
    });
  });

  test('a cap for what the training asks is named only where one was written', () => {
    const form = formOf(contract, 'mar5');
    const twice = { ...form, require: 'memory > 10\nmemory < 40000', checks: 'a: one\na: two' };
    expect(Object.keys(readForm('/repo', twice).problems).sort()).toEqual(['checks', 'require']);
    expect(readForm('/repo', form).study).not.toHaveProperty('capUsd');
    expect(readForm('/repo', { ...form, cap: '2.5' }).study.capUsd).toBe(2.5);
    expect(Object.keys(readForm('/repo', { ...form, cap: '-1' }).problems)).toEqual(['cap']);
  });

  test('a GPU is named only where one was chosen', () => {
    const form = formOf(contract, 'mar5');
    expect(readForm('/repo', form).study).not.toHaveProperty('gpu');
    expect(readForm('/repo', { ...form, gpu: 'GPU-bb' }).study.gpu).toBe('GPU-bb');
  });

  test('lanes are words of a text, and none where it is empty', () => {
    const form = formOf(contract, 'mar5');
    expect(readForm('/repo', form).study).not.toHaveProperty('lanes');
    expect(readForm('/repo', { ...form, lanes: ' gpu:0, gpu:1 ' }).study.lanes).toEqual(['gpu:0', 'gpu:1']);
    const tooMany = Array.from({ length: 65 }, () => 'ssh:host').join();
    expect(Object.keys(readForm('/repo', { ...form, lanes: tooMany }).problems)).toEqual(['lanes']);
    expect(readForm('/repo', { ...form, lanes: 'cpu:2, cpu:none' }).problems).toEqual({
      lanes: LANE_WORDS_HINT,
    });
  });

  test('a long limit is summed up in minutes and hours, and what is no number as it was typed', () => {
    const said = (limit: string) => describeMeasure({ ...formOf(contract, 'mar5'), limit });
    expect(said('3600')).toContain('ended after 1 h');
    expect(said('90')).toContain('ended after 90 s');
    expect(said('soon')).toContain('ended after soon s');
  });

  test('an empty form says for each field what is missing', () => {
    const empty = formOf(null, '');
    expect(isContractWhole(empty)).toBe(false);
    expect(Object.keys(readForm('/repo', empty).problems).sort()).toEqual(['editable', 'metric', 'train']);
  });

  test.each([
    ['budget', { budget: 'soon' }],
    ['limit', { limit: '-1' }],
    ['experiments', { experiments: '1.5' }],
    ['metric', { metric: 'two: words' }],
    ['editable', { editable: '../outside' }],
    ['environment', { environment: 'NOT-A-NAME' }],
  ] as const)('a bad %s is complained about there', (field, patch) => {
    const { problems } = readForm('/repo', { ...formOf(contract, 'mar5'), ...patch });
    expect(Object.keys(problems)).toEqual([field]);
  });

  test.each([
    ['command', { kind: 'command', command: ' ' }],
    ['seed', { kind: 'search', seed: 'x' }],
    ['patches', { kind: 'patches' }],
    ['timeout', { kind: 'agent', timeout: 'long' }],
    ['model', { kind: 'model', model: '' }],
    ['studyCap', { kind: 'model', studyCap: '-1' }],
  ] as const)("a proposer's bad %s is complained about there, alone or among others", (field, patch) => {
    const form = formOf(contract, 'mar5');
    const bad = { ...newArm(patch.kind), ...patch };
    expect(readForm('/repo', { ...form, arms: [bad] }).problems).toEqual({
      arms: [{ [field]: expect.any(String) }],
    });
    const other = newArm(patch.kind === 'search' ? 'agent' : 'search');
    const { problems } = readForm('/repo', { ...form, arms: [other, bad] });
    expect(problems.arms).toEqual([undefined, { [field]: expect.any(String) }]);
  });

  test('several proposers are a route in their order', () => {
    const arms = [newArm('agent'), newArm('model'), newArm('search')];
    const { study, problems } = readForm('/repo', {
      ...formOf(contract, 'mar5'),
      arms,
      routing: 'alternate',
    });
    expect(problems).toEqual({});
    expect(study.proposer).toMatchObject({
      ...{ kind: 'route', mode: 'alternate' },
      arms: [{ kind: 'agent' }, { kind: 'model' }, { kind: 'search' }],
    });
  });
});

describe('commands', () => {
  const card = { id: 'night', state: 'stopped', tally: { bestExperiment: 3 }, current: null };
  const of = (state: 'stopped' | 'running' | 'imported', connection: 'online' | 'connecting' = 'online') =>
    ({
      ...useStore.getState(),
      ...{ connection: { kind: connection }, study: 'night', studies: [{ ...card, state }] },
    }) as unknown as State;

  test('no two have the same key or the same name', () => {
    const keys = ALL_COMMANDS.flatMap(command => command.keys ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    const names = ALL_COMMANDS.filter(command => isAvailable(command, of('stopped'))).map(({ label }) =>
      typeof label === 'string' ? label : label(of('stopped')),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('an imported study is read and compared; nothing is asked of it', () => {
    expect(isAvailable(COMMANDS.compare, of('imported'))).toBe(true);
    expect(isAvailable(COMMANDS.best, of('imported'))).toBe(true);
    for (const command of [COMMANDS.steer, COMMANDS.queue, COMMANDS.resume, COMMANDS.instructions]) {
      expect(isAvailable(command, of('imported'))).toBe(false);
    }
  });

  test('what is about an experiment needs one that is selected, and one with a commit where it is about that', () => {
    const selected = (cell: Partial<Cell> | null, state: 'stopped' | 'imported' = 'stopped') =>
      ({
        ...of(state),
        view: { ...useStore.getState().view, selected: cell && 1 },
        notebook: { cells: [undefined, cell && { n: 1, ...cell }] },
      }) as unknown as State;
    const able = (state: State) =>
      Object.entries(EXPERIMENT_COMMANDS)
        .filter(([, command]) => isAvailable(command, state))
        .map(([id]) => id);
    expect(able(selected(null))).toEqual([]);
    expect(able(selected({ commit: null, trainedSeconds: null }))).toEqual(['copyMarkdown']);
    expect(able(selected({ commit: 'c', trainedSeconds: 5 }))).toEqual(Object.keys(EXPERIMENT_COMMANDS));
    expect(able(selected({ commit: 'c', trainedSeconds: 5 }, 'imported'))).toEqual([
      'copyMarkdown',
      'copyCommit',
    ]);
  });

  test('what asks something of the host waits for it', () => {
    expect(isAvailable(COMMANDS.resume, of('stopped'))).toBe(true);
    expect(isAvailable(COMMANDS.resume, of('stopped', 'connecting'))).toBe(false);
    expect(isAvailable(COMMANDS.export, of('stopped', 'connecting'))).toBe(true);
  });

  test('what runs is paused, and not resumed', () => {
    expect(isAvailable(COMMANDS.pause, of('running'))).toBe(true);
    expect(isAvailable(COMMANDS.continue, of('running'))).toBe(false);
    expect(isAvailable(COMMANDS.resume, of('running'))).toBe(false);
    expect(isAvailable(COMMANDS.pause, of('stopped'))).toBe(false);
  });
});
