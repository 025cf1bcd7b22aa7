import { expect, test } from 'vitest';
import { busiest } from '../src/engine/api/gpu-use.ts';
import { ConstantsReader } from '../src/engine/constants/constants-reader.ts';
import { comparableTrials } from '../src/engine/constants/weigh-study.ts';
import { readBlobs } from '../src/engine/git/read-blobs.ts';
import { openRepository } from '../src/engine/git/repository.ts';
import { splitKey } from '../src/engine/proposers/search/bounds.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { LEAST_TRIALS, weighConstants } from '../src/engine/proposers/search/importance.ts';
import { seededRandom } from '../src/engine/proposers/search/random.ts';
import { readValues } from '../src/engine/proposers/search/read-values.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';
import { CONSTANTS_PAGE, TABLE_PAGE } from '../src/shared/table-rows.ts';
import { keptNight, set } from './support/kept-night.ts';
import { contractFile, createRepository, git } from './support/scaffold.ts';
import { openDesk, refusalOf, untilStopped } from './support/service.ts';

const SOURCE = 'LEARNING_RATE = 0.02\nDEPTH = 4\nWIDTH = 64\nACT = "gelu"  # one of "gelu", "relu"\n';
const CONSTANTS = findConstants('train.py', SOURCE);

/** Sets of values at random with a number for each. */
function trials(count: number, number: (rate: number, depth: number, noise: number) => number) {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => {
    const [rate, depth] = [0.001 * 2 ** (8 * random()), 2 + Math.floor(10 * random())];
    const texts = [rate.toPrecision(3), String(depth), '64', random() < 0.5 ? '"gelu"' : '"relu"'];
    return { texts, value: number(rate, depth, random() - 0.5) };
  });
}

test('what a number depends on weighs most, and what was never turned is not named', () => {
  const found = weighConstants({
    constants: CONSTANTS,
    trials: trials(60, (rate, depth) => (Math.log2(rate) + 6) ** 2 + 0.3 * depth),
    process: null,
  });
  expect(found?.shares.map(({ key }) => key.split('\0')[1])).toEqual(['LEARNING_RATE', 'DEPTH', 'ACT']);
  const [first, second, third] = found?.shares.map(({ share }) => share) ?? [];
  expect(first).toBeGreaterThan(0.7);
  expect(second).toBeGreaterThan(third ?? 1);
  expect(third).toBeLessThan(0.05);
  expect(found?.shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  expect(found).toMatchObject({ isOfSearch: false, trials: 60 });
  expect(found?.foretold).toBeGreaterThan(0.8);
});

test('numbers that depend on nothing are foretold by nothing', () => {
  const found = weighConstants({
    constants: CONSTANTS,
    trials: trials(60, (_rate, _depth, noise) => noise),
    process: null,
  });
  expect(found?.foretold).toBeLessThan(0.1);
});

test('the lengths the search ended with count where it knew the same constants', () => {
  const process = { inverseLengths: [0, -9, 0, -9], scale: 0, noise: -2 };
  const question = { constants: CONSTANTS, trials: trials(40, (rate, depth) => rate + depth), process };
  const found = weighConstants(question);
  expect(found?.isOfSearch).toBe(true);
  expect(found?.shares[0]).toMatchObject({ key: 'train.py\0LEARNING_RATE' });
  const other = weighConstants({ ...question, process: { ...process, inverseLengths: [0] } });
  expect(other?.isOfSearch).toBe(false);
});

test('of too few experiments nothing is said, and nothing of constants nobody turned', () => {
  const all = trials(LEAST_TRIALS, rate => rate);
  const ask = (some: typeof all) => weighConstants({ constants: CONSTANTS, trials: some, process: null });
  expect(ask(all)).not.toBeNull();
  expect(ask(all.slice(1))).toBeNull();
  expect(ask(all.map(trial => ({ ...trial, texts: SOURCE.split('\n') })))).toBeNull();
});

test('edits of code say nothing of constants, and their gain is no gain of what came after', () => {
  const values = (rate: string) => new Map([['LEARNING_RATE', rate]]);
  const entry = (n: number, metric: number | null, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
    ...{ n, metric, record: metric, hypothesis: '', category: null, memo: null, guard: null },
    ...{ verdict: 'discard', reason: 'worse', incumbent: 0, incumbentMetric: 10 },
    ...more,
  });
  const found = comparableTrials(
    [
      entry(0, 10, { verdict: 'keep', reason: 'baseline', incumbent: null, incumbentMetric: null }),
      entry(1, 11),
      entry(2, 7, { verdict: 'keep', reason: 'better' }),
      entry(3, 6, { verdict: 'keep', reason: 'better', incumbent: 2, incumbentMetric: 7 }),
      entry(4, null, { verdict: 'crash', reason: 'exception', incumbent: 3 }),
      entry(5, 1, { reason: 'guard', incumbent: 3 }),
    ],
    // The second changed code alone.
    new Map(['1', '2', '1', '3', '4', '5'].map((rate, n) => [n, values(rate)])),
    'minimize',
  );
  expect(found.map(({ value, values: own }) => [own.get('LEARNING_RATE'), value])).toEqual([
    ['1', 7],
    ['2', 8],
    ['3', 6],
  ]);
});

test('the same text of a file is the same constants, and a file that is not there has none', () => {
  const found = readValues({
    paths: ['train.py', 'gone.py'],
    commits: [
      [SOURCE, null],
      [SOURCE.replace('4', '8'), null],
      [null, null],
    ],
    given: ['WIDTH'],
  });
  expect(found.map(values => [...values.values()])).toEqual([
    ['0.02', '4', '"gelu"'],
    ['0.02', '8', '"gelu"'],
    [],
  ]);
});

test('what the search leaves alone is read only where every constant is wanted', () => {
  const question = { paths: ['train.py'], commits: [['LOG_EVERY = 10\nDEPTH = 4\n']], given: [] };
  const names = (isEvery: boolean) =>
    readValues({ ...question, isEvery }).map(values => [...values.keys()].map(key => splitKey(key).name));
  expect(names(false)).toEqual([['DEPTH']]);
  expect(names(true)).toEqual([['LOG_EVERY', 'DEPTH']]);
});

test('constants that no longer fit among those that are kept are read again, and none is missing', async () => {
  const { ledger, study } = await keptNight([
    { edit: set('LR', 2), metric: 0.9 },
    { edit: set('LR', 3), metric: 0.8 },
  ]);
  const reader = new ConstantsReader(ledger, 2);
  const rates = async (ns: readonly number[]) =>
    [...(await reader.values(study, ns))].map(([n, values]) => [n, values.get('LR')]);
  expect(await rates([0, 1])).toHaveLength(2);
  const all = [
    [0, '1'],
    [1, '2'],
    [2, '3'],
  ];
  expect(await rates([0, 1, 2])).toEqual(all);
  // What another call forgets while this one reads is not missing here.
  const other = new ConstantsReader(ledger, 2);
  await other.values(study, [0, 1]);
  const [mixed] = await Promise.all([other.values(study, [0, 1]), other.values(study, [2])]);
  expect([...mixed.keys()]).toEqual([0, 1]);
});

test('many files come from one git, and what is missing is missing', async () => {
  const path = await createRepository({
    'a.txt': 'one\n',
    'b c.txt': Buffer.from([0, 255, 10]).toString('latin1'),
  });
  const commit = await git(path, 'rev-parse', 'HEAD');
  const none = '1'.repeat(40);
  const blobs = await readBlobs(await openRepository(path), [
    { commit, path: 'a.txt' },
    { commit, path: 'gone\nwith a line' },
    { commit: none, path: 'a.txt' },
    { commit, path: 'b c.txt' },
  ]);
  expect(blobs.map(blob => blob && blob.length > 0)).toEqual([true, null, null, true]);
  expect([blobs[0], blobs[3]].map(String)).toEqual(['one\n', '\0ÿ\n']);
});

test('the use of a GPU is the mean of the one that was busiest', () => {
  const at = (...values: readonly [string, number][]) => ({ seconds: 0, values: new Map(values) });
  const points = [
    at(['gpu0_utilization_percent', 0], ['gpu1_utilization_percent', 90], ['cpu_percent', 100]),
    at(['gpu0_utilization_percent', 10], ['gpu1_utilization_percent', 100]),
  ];
  expect(busiest(points)).toBe(95);
  expect(busiest([at(['cpu_percent', 3])])).toBeNull();
});

test('a study tells what its experiments printed, who proposed them and what their constants were', async () => {
  const desk = await openDesk();
  const trainer = "LR=2\nWIDTH=8\nprintf 'val_bpb: 1.%s\\nnum_steps: 12\\nbad: nan\\n' $LR\n";
  const path = await createRepository({
    'train.sh': trainer,
    'pawl.toml': contractFile({ train: 'sh train.sh' }),
  });
  const proposer = { kind: 'search', seed: 1, strategy: 'ladder' } as const;
  const { id: study } = await desk.calls.studies.start({ path, proposer, stop: { experiments: 3 } });
  await untilStopped(desk, study);
  const rows = await desk.calls.studies.tableRows({ study, ns: [2, 0, 99] });
  expect(rows.map(({ n, proposer: who, runs }) => [n, who, runs])).toEqual([
    [0, null, 1],
    [2, 'search', 1],
  ]);
  expect(rows[0]?.summary).toEqual(
    expect.arrayContaining([
      ['val_bpb', 1.2],
      ['num_steps', 12],
    ]),
  );
  const { names, rows: constants } = await desk.calls.studies.constants({ study, ns: [0, 1, 99] });
  expect(names).toEqual(['LR', 'WIDTH']);
  expect(constants[0]).toEqual({ n: 0, texts: ['2', '8'] });
  expect(constants[1]?.texts).not.toEqual(['2', '8']);
  expect(constants).toHaveLength(2);
  expect(await desk.calls.studies.gpuUse({ study, ns: [0, 1] })).toHaveLength(2);
  expect(await desk.calls.studies.importance({ study })).toMatchObject({
    ...{ importance: null, least: LEAST_TRIALS },
  });
  const many = (count: number) => Array.from({ length: count }, (_, n) => n);
  await refusalOf(desk.calls.studies.tableRows({ study, ns: many(TABLE_PAGE + 1) }));
  await refusalOf(desk.calls.studies.constants({ study, ns: many(CONSTANTS_PAGE + 1) }));
});
