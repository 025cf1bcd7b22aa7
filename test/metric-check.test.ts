import { expect, test } from 'vitest';
import { measureMetric, printedDecimals } from '../src/engine/metric-check/measure-metric.ts';
import { breakConstant } from '../src/engine/proposers/search/break-constant.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { assess } from '../src/engine/statistics/claims.ts';
import { smallestGain } from '../src/engine/statistics/smallest-gain.ts';
import { DEFAULT_BUDGET, DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import { describeMetricCheck } from '../src/shared/verdicts/describe-metric-check.ts';
import {
  type BrokenRun,
  hasMoved,
  type MetricCheck,
  type OtherSeeds,
  rateOf,
} from '../src/shared/verdicts/metric-check.ts';

const NOTICED: BrokenRun = {
  ...{
    kind: 'run',
    file: 'train.py',
    name: 'LR',
    from: '0.04',
    to: '4.0',
    value: 3.2,
    fault: null,
    isRuin: true,
  },
};

function seedsOf(values: readonly (number | null)[]): OtherSeeds {
  const runs = values.map((value, at) => ({ to: String(at + 8), value }));
  return { file: 'train.py', name: 'SEED', from: '7', runs };
}

function checkOf(
  values: readonly number[],
  more: {
    readonly name?: string;
    readonly goal?: 'minimize' | 'maximize';
    readonly broken?: BrokenRun;
    readonly seeds?: readonly (number | null)[];
    readonly decimals?: number;
    readonly trained?: number;
    readonly runSeconds?: number;
    readonly asked?: number;
    readonly fault?: string;
  } = {},
): MetricCheck {
  const { name = 'val_bpb', goal = 'minimize', trained = 300, runSeconds = 326 } = more;
  return measureMetric({
    contract: {
      metric: { ...DEFAULT_METRIC, name, goal },
      budget: { ...DEFAULT_BUDGET, seconds: 300, limitSeconds: 630 },
    },
    ...{
      values,
      asked: more.asked ?? values.length,
      fault: more.fault ?? null,
      broken: more.broken ?? NOTICED,
      seeds: more.seeds ? seedsOf(more.seeds) : null,
      runSeconds,
      hours: 8,
    },
    decimals: more.decimals ?? null,
    times: [{ seconds: trained + 20, trainingSeconds: trained }],
  });
}

function warningsOf(check: MetricCheck): string {
  return describeMetricCheck(check)
    .filter(({ isWarning }) => isWarning)
    .map(({ text }) => text)
    .join('\n');
}

function wordsOf(check: MetricCheck): string {
  return describeMetricCheck(check)
    .map(({ text }) => text)
    .join('\n');
}

const GOOD = [0.9979, 0.9982, 0.99761];

test('a sound metric is told in plain sentences without a warning', () => {
  const check = checkOf(GOOD);
  expect(warningsOf(check)).toBe('');
  expect(wordsOf(check)).toMatchInlineSnapshot(`
    "3 runs of the unchanged code gave val_bpb 0.99790, 0.99820, 0.99761: 0.99790 on average.
    σ is estimated as 0.00047, mostly from the usual noise of such trainings; after so few runs it lies between 0.00033 and 0.0011 (80 %).
    One run proves a gain of 0.0027 or more; a night, which repeats the runs of what it keeps, a gain of 0.00083.
    A run takes 5.4 min: 8 h have room for 78 experiments, not counting the time for proposals.
    The audit takes 8 more runs, 43 min.
    It trains for 300.0 s, and budget.seconds is 300: time-boxed, so no run may take longer than the baseline plus the tolerance.
    With LR = 4.0 instead of 0.04 (train.py), it is 3.20000, worse by 2.2: the number notices."
  `);
});

test('σ is that of the rule for claims, with what three runs leave open of it', () => {
  const { noise } = checkOf(GOOD);
  const known = assess([{ n: 0, values: GOOD, parent: null, isKept: true }])?.noise.variance ?? 0;
  expect(noise.sigma).toBeCloseTo(Math.sqrt(known), 12);
  expect(noise.low).toBeLessThan(noise.sigma);
  expect(noise.high).toBeGreaterThan(noise.sigma);
});

test('the smallest gain is where the rule for claims says that it is proven', () => {
  const noise = { variance: 4e-6, degrees: 10, isRepeatable: false };
  const least = smallestGain(noise, { parent: 6, attempt: 6 });
  const around = (mean: number) => [-1, 1, -1, 1, -1, 1].map(side => mean + side * 0.002 * Math.sqrt(5 / 6));
  const probability = (gain: number) =>
    assess([
      { n: 0, values: around(1), parent: null, isKept: true },
      { n: 1, values: around(1 - gain), parent: 0, isKept: true },
    ])?.claims[0]?.probability ?? 0;
  // The rule also refits its weights to the one difference that is there, which moves the place a little.
  expect(probability(1.1 * least)).toBeGreaterThan(0.95);
  expect(probability(0.9 * least)).toBeLessThan(0.95);
  expect(smallestGain(noise, { parent: 2, attempt: 1 })).toBeGreaterThan(1.5 * least);
});

test('the audit takes a tenth of what fits, and four runs at least', () => {
  expect(checkOf(GOOD).night).toMatchObject({ experiments: 78, auditRuns: 8 });
  expect(checkOf(GOOD, { runSeconds: 3_600 }).night).toMatchObject({ experiments: 2, auditRuns: 4 });
  expect(checkOf(GOOD, { runSeconds: 36_000 }).night).toMatchObject({ experiments: 0, auditRuns: 4 });
});

test('where not one experiment fits, that is a warning in place of the audit and the gain of a night', () => {
  const long = checkOf(GOOD, { runSeconds: 36_000 });
  expect(warningsOf(long)).toBe('No experiment fits: a run takes 10 h, and the night lasts 8 h.');
  expect(wordsOf(long)).toContain('One run proves a gain of 0.0027 or more.\n');
  expect(wordsOf(long)).not.toMatch(/a night|The audit/);
  expect(warningsOf(checkOf(GOOD, { runSeconds: 10_000 }))).toBe(
    'No experiment fits: a run takes 2.8 h, and 8 h have room for 2 runs, which the baseline and the audit use up.',
  );
  expect(wordsOf(checkOf(GOOD, { runSeconds: 3_600 }))).toContain('room for 2 experiments');
});

test('of one number σ is taken for what is usual, and why the others gave none is a warning', () => {
  const check = checkOf([0.9979], { asked: 3, fault: 'The training ended with 7.' });
  expect(wordsOf(check)).toMatch(
    /^1 of 3 runs of the unchanged code gave val_bpb 0\.9979\.\nσ is estimated as 0\.0007, /,
  );
  expect(wordsOf(check)).toContain(
    '0.0007, the usual noise of such trainings; after so few runs it lies between ',
  );
  expect(warningsOf(check)).toBe('2 runs gave no number, the first of them: The training ended with 7.');
  expect(warningsOf(checkOf(GOOD, { asked: 4 }))).toBe('1 run gave no number: the reason is unknown.');
});

test('σ that is mostly not of the runs is not told as what they differ by', () => {
  expect(wordsOf(checkOf([0.99791, 0.99792, 0.9979]))).toContain(
    'σ is estimated as 0.0004, mostly from the usual noise of such trainings; after so few runs it lies between ',
  );
  expect(wordsOf(checkOf([0.01, 0.02, 0.01]))).toContain('They differ by σ');
  expect(wordsOf(checkOf([0.01], { asked: 2 }))).toContain('0.0029, its rounding; after so few');
  expect(wordsOf(checkOf([0.9979, 0.9992, 0.9966]))).toContain('They differ by σ');
});

test('the mean and the numbers have the digits that are printed', () => {
  expect(wordsOf(checkOf([12_345_678, 12_349_999, 12_355_123], { name: 'tokens' }))).toContain(
    '12345678, 12349999, 12355123: 12350267 on average.',
  );
  const rates = [0.5233, 0.5267, 0.5133, 0.53];
  expect(wordsOf(checkOf(rates, { name: 'pass_rate', goal: 'maximize' }))).toContain(
    'pass_rate 0.5233, 0.5267, 0.5133, 0.5300: 0.5233 on average.',
  );
});

test('a number that repeats itself to five digits has no chance in it, and nothing to audit', () => {
  const check = checkOf([0.99791, 0.99791, 0.99791]);
  expect(wordsOf(check)).toContain('it is repeatable');
  expect(check.gain.oneRun).toBeCloseTo(0.00001, 12);
  expect(check.night).toMatchObject({ auditRuns: 0, experiments: 86 });
  expect(warningsOf(check)).toBe('');
});

test('of a number that repeats itself it is told what other seeds give', () => {
  const same = [0.99791, 0.99791, 0.99791];
  expect(wordsOf(checkOf(same, { seeds: [0.99991, 0.99591] }))).toContain(
    'With SEED = 8 and 9 instead of 7 (train.py), it is 0.99991 and 0.99591: seeds differ by σ 0.002,',
  );
  expect(wordsOf(checkOf(same, { seeds: [0.99791, 0.99791] }))).toContain('that seed has no effect');
  expect(wordsOf(checkOf(same, { seeds: [0.99791, null] }))).toContain('did not always give a number');
  expect(wordsOf(checkOf(same))).toContain('No seed was found in the editable files');
  expect(wordsOf(checkOf(GOOD))).not.toContain('seed');
});

test('the same two digits three times prove nothing, and are few values', () => {
  const check = checkOf([0.87, 0.87, 0.87], { name: 'accuracy', goal: 'maximize' });
  expect(wordsOf(check)).toContain('with 2 digits that does not prove that it is repeatable');
  expect(warningsOf(check)).toContain('2 digits, in steps of 0.01');
  expect(check.night.auditRuns).toBe(8);
});

test('two digits are few whatever the noise is, and more where the last one hides it', () => {
  const few = 'most edits will give one of a few values';
  expect(warningsOf(checkOf([0.52, 0.71, 0.33]))).toContain(few);
  expect(warningsOf(checkOf([0.812, 0.813, 0.812]))).toContain(few);
  expect(warningsOf(checkOf([0.812, 0.833, 0.799]))).not.toContain(few);
});

test('zeros that were printed are digits', () => {
  expect(checkOf([0.5, 0.5, 0.5]).digits).toBe(1);
  const check = checkOf([0.5, 0.5, 0.5], { decimals: 6 });
  expect(check.digits).toBe(6);
  expect(wordsOf(check)).toContain('it is repeatable');
});

test.each([
  ['val_bpb:          0.500000\n', 0.5, 6],
  ['a 0.5 b 0.50 c 1.5000', 0.5, 2],
  ['tokens: 1,234,567', 1_234_567, 0],
  ['loss 1.20e-03', 0.0012, 5],
  ['nothing of it', 0.5, null],
])('digits of %j', (output, value, decimals) => {
  expect(printedDecimals(output, value, 'val_bpb')).toBe(decimals);
});

test('another number that happens to be the same does not count as the metric printed more exactly', () => {
  const output = 'cost: 0.0000\naccuracy: 0.00\nloss: 1\n';
  expect(printedDecimals(output, 0, 'accuracy')).toBe(2);
  expect(printedDecimals(output, 1, 'accuracy')).toBe(0);
});

test.each([
  ['accuracy', [0.5, 0.7], 0.6],
  ['test_acc', [50, 70], 0.6],
  ['passRate', [0, 0], 0],
  ['reward', [0.5, 0.7], null],
  ['tokens_per_second', [0.5], null],
  ['f1', [50, 70], null],
])('whether %s is a rate', (name, values, rate) => {
  expect(rateOf(checkOf(values, { name, goal: 'maximize' }))).toEqual(
    rate === null ? null : expect.closeTo(rate, 9),
  );
});

test('a pass rate near 0 is to be rewritten, one above 0.9 has little left', () => {
  const rate = { name: 'pass_rate', goal: 'maximize' } as const;
  expect(warningsOf(checkOf([0.0213, 0.0188, 0.0201], rate))).toContain(
    'Rewrite the task or the metric first',
  );
  expect(warningsOf(checkOf([0.9512, 0.9498, 0.9533], rate))).toContain('only 0.049 is left to gain');
  expect(warningsOf(checkOf([95.12, 94.98, 95.33], rate))).toContain('only 4.9 is left to gain');
  expect(warningsOf(checkOf([0.5231, 0.5219, 0.5244], rate))).not.toMatch(/succeeds|fails/);
});

test('one that moves when nothing changed is loud', () => {
  expect(warningsOf(checkOf([1.0421, 0.9713, 1.0112]))).toMatch(/It varies by 2\.9 %/);
  expect(warningsOf(checkOf(GOOD))).not.toContain('when nothing changes');
});

test('a budget that is far off is told with the number to write', () => {
  expect(warningsOf(checkOf(GOOD, { trained: 12.34 }))).toContain('write budget.seconds = 12.');
  expect(checkOf(GOOD, { trained: 12.34 }).budget.kind).toBe('fixed');
  expect(wordsOf(checkOf(GOOD, { trained: 250 }))).toContain('time-boxed');
});

test('a number that does not move when the code is broken is told, one that is better too', () => {
  const broken = (value: number | null, fault: string | null = null): MetricCheck =>
    checkOf(GOOD, { broken: { ...NOTICED, kind: 'run', value, fault } as BrokenRun });
  expect(hasMoved(broken(0.998))).toBe(false);
  expect(warningsOf(broken(0.998))).toContain('the number may not depend on what the code does');
  expect(warningsOf(broken(0.5))).toContain('check that metric.goal is the right way round');
  const other = checkOf(GOOD, {
    broken: { ...NOTICED, name: 'DROPOUT', isRuin: false, value: 0.5 } as BrokenRun,
  });
  expect(warningsOf(other)).toBe('');
  expect(wordsOf(other)).toContain('better by 0.5: the number notices, and DROPOUT is worth searching');
  expect(wordsOf(broken(2.9))).toContain('worse by 1.9: the number notices');
  expect(hasMoved(broken(null))).toBe(null);
  expect(wordsOf(broken(null, 'It diverged.'))).toContain(
    'gave no number, so it is unknown whether the number notices: It diverged.',
  );
  const same = [0.99791, 0.99791, 0.99791];
  const repeated = (value: number) => checkOf(same, { broken: { ...NOTICED, value } as BrokenRun });
  expect(hasMoved(repeated(0.99791))).toBe(false);
  expect(warningsOf(repeated(0.99791))).toContain(
    'it is 0.99791, exactly the same: the number may not depend',
  );
  expect(hasMoved(repeated(0.99792))).toBe(true);
});

test.each([
  ['a learning rate', 'DEPTH = 8\nDROPOUT = 0.1\nMATRIX_LR = 0.04\n', 'MATRIX_LR', '4.0'],
  ['one in another spelling', 'class C:\n    pass\nLEARNING_RATE = 3e-4\n', 'LEARNING_RATE', '3e-2'],
  [
    'else a share, which stays one',
    'DEPTH = 8\nEPS = 1e-8\nDROPOUT = 0.1\nLR_DECAY = 0\n',
    'DROPOUT',
    '0.99',
  ],
  ['a share that is large', 'MOMENTUM = 0.9\n', 'MOMENTUM', '0.01'],
  ['else another fraction', 'DEPTH = 8\nEPS = 1e-8\nSCALE = 1.5\n', 'SCALE', '150.0'],
  ['else a whole number, made small', 'DEPTH = 8\nBATCH = 2**19\n', 'DEPTH', '1'],
  ['else a power', 'BATCH = 2**19\n', 'BATCH', '2**12'],
])('what is broken is %s', (_, source, name, to) => {
  expect(breakConstant(findConstants('train.py', source))).toMatchObject({ name, to });
});

test('no word, switch or zero is broken', () => {
  const source = 'COMPILE = True\nWARMUP = 0.0\nACTIVATION = "relu"  # "relu" or "gelu"\nSEED = 7\n';
  expect(breakConstant(findConstants('train.py', source))).toBe(null);
});

test('a number that is the same is its own mean', () => {
  const broken = { ...NOTICED, value: 0.1 } as BrokenRun;
  const check = checkOf([0.1, 0.1, 0.1], { decimals: 6, broken });
  expect(check.mean).toBe(0.1);
  expect(hasMoved(check)).toBe(false);
});

test('what was not tried is said', () => {
  expect(wordsOf(checkOf(GOOD, { broken: { kind: 'left_out' } }))).toContain('Nothing was broken on purpose');
  expect(wordsOf(checkOf(GOOD, { broken: { kind: 'no_constant' } }))).toContain('no constant to break');
  expect(wordsOf(checkOf(GOOD, { asked: 5 }))).toContain('3 of 5 runs');
});
