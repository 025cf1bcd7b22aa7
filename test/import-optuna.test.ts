import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FIXTURES, imported } from './support/imported-runs.ts';
import { temporaryFolder } from './support/scaffold.ts';

const STEPS = 40;
const valLoss = (rate: number, step: number) => 1 + rate + Math.exp(-step / 10);

test.each(['optuna.db', 'journal.jsonl'])(
  "trials in Optuna's %s are experiments with their parameters, and the study says what is better",
  async file => {
    const path = join(FIXTURES, 'optuna', file);
    const { study, skipped, names, words, experiments, series, setting } = await imported(path);
    expect(skipped).toEqual([]);
    expect(study.contract.metric).toMatchObject({ name: 'value', goal: 'minimize' });
    expect((await imported(path, 'value')).study.contract.metric.goal).toBe('minimize');
    // The fifth waits for its turn.
    expect(names).toEqual(['trial 0', 'trial 1', 'trial 2', 'trial 3']);
    expect(words).toEqual(['COMPLETE', 'PRUNED', 'crash', 'COMPLETE']);
    const results = [valLoss(0.1, STEPS - 1) + 1, valLoss(0.03, 9), null, valLoss(0.01, STEPS - 1) + 1];
    expect(experiments.map(({ metric }) => metric)).toEqual(
      results.map(value => (value === null ? null : expect.closeTo(value, 12))),
    );
    expect(series(3, 'value')).toEqual(
      [...Array(STEPS).keys()].map(step => ({ step, value: expect.closeTo(valLoss(0.01, step), 12) })),
    );
    expect(series(1, 'value')).toHaveLength(10);
    expect(['lr', 'layers', 'optimizer'].map(name => setting(3, name))).toEqual(['0.01', '2', 'sgd']);
  },
);

test('of a journal of Optuna, what a late worker wrote and a deleted study do not count, and an added trial does', async () => {
  const path = join(await temporaryFolder(), 'journal.jsonl');
  const whole = await readFile(join(FIXTURES, 'optuna', 'journal.jsonl'), 'utf8');
  const line = (op: number, rest: object) => JSON.stringify({ op_code: op, worker_id: 'other', ...rest });
  const added = {
    ...{ study_id: 0, state: 1, datetime_start: null, datetime_complete: null, value: 0.5, values: null },
    ...{ params: { optimizer: 1 }, intermediate_values: { 3: 0.75 } },
    distributions: { optimizer: '{"name":"CategoricalDistribution","attributes":{"choices":["a","b"]}}' },
  };
  const further = [
    line(0, { study_name: 'demo', directions: [2] }),
    line(0, { study_name: 'deleted', directions: [2] }),
    line(4, { study_id: 1, datetime_start: null }),
    line(1, { study_id: 1 }),
    line(6, { trial_id: 3, state: 3, values: null, datetime_complete: '2026-12-01T00:00:00+00:00' }),
    line(4, added),
    '{"op_code":7,"trial_id":4',
  ];
  await writeFile(path, `${whole}${further.join('\n')}\n`);
  const { names, words, experiments, series, setting, skipped, study } = await imported(path);
  expect(study.contract.metric.goal).toBe('minimize');
  expect(names).toEqual(['trial 0', 'trial 1', 'trial 2', 'trial 3', 'trial 5']);
  expect(words).toEqual(['COMPLETE', 'PRUNED', 'crash', 'COMPLETE', 'COMPLETE']);
  expect(experiments[4]?.metric).toBe(0.5);
  expect(series(4, 'value')).toEqual([{ step: 3, value: 0.75 }]);
  expect(setting(4, 'optimizer')).toBe('b');
  expect(skipped).toEqual(['1 line cannot be read, as after a full disk.']);
});

test('of a study of Optuna with two objectives, both are numbers under their names', async () => {
  const path = join(FIXTURES, 'optuna', 'several.db');
  const { study, experiments } = await imported(path, 'loss');
  expect(study.contract.metric).toMatchObject({ name: 'loss', goal: 'minimize' });
  const speed = study.importColumns?.indexOf('speed') ?? -1;
  expect(experiments.map(({ imported: row }) => row?.[speed])).toEqual(['3', 'Infinity']);
});

test.each([
  ['5.0.0', '2026-12-01T10:00:00Z'],
  // Earlier versions wrote the time of their machine's zone.
  ['4.9.0', '2026-12-01T10:00:00'],
])('times of Optuna %s are read as what they are', async (version, time) => {
  const path = join(await temporaryFolder(), 'optuna.db');
  await cp(join(FIXTURES, 'optuna', 'optuna.db'), path);
  const database = new BetterSqlite3(path);
  database.prepare('UPDATE version_info SET library_version = ?').run(version);
  database.exec("UPDATE trials SET datetime_start = '2026-12-01 10:00:00.000000' WHERE number = 0");
  database.close();
  vi.stubEnv('TZ', 'Asia/Tokyo');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { experiments } = await imported(path);
  expect(experiments[0]?.startedAt).toBe(Date.parse(time));
});
