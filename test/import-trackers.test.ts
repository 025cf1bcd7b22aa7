import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { RunGatherers } from '../src/engine/import/trackers/tracked-run.ts';
import { FIXTURES, imported } from './support/imported-runs.ts';
import { pawl } from './support/pawl.ts';
import { temporaryFolder } from './support/scaffold.ts';

const STEPS = 40;
const RATES = [0.1, 0.03, 0.01];
const valLoss = (rate: number, step: number) => 1 + rate + Math.exp(-step / 10);

const curve = (rate: number) => [...Array(STEPS).keys()].map(step => ({ step, value: valLoss(rate, step) }));

test.each([
  {
    tracker: 'Weights & Biases, offline runs in a folder',
    path: 'wandb-offline/wandb',
    metric: 'val/loss',
    words: ['crash', 'finished', 'finished'],
    lr: '0.01',
  },
  {
    tracker: "MLflow's file store",
    path: 'mlruns',
    metric: 'val_loss',
    words: ['crash', 'FINISHED', 'FINISHED'],
    lr: '0.01',
  },
  {
    tracker: "MLflow's SQLite",
    path: 'mlflow-sqlite/mlflow.db',
    metric: 'val_loss',
    words: ['crash', 'FINISHED', 'FINISHED'],
    lr: '0.01',
  },
  {
    tracker: "trackio's SQLite",
    path: 'trackio/demo.db',
    metric: 'val/loss',
    words: ['none', 'none', 'none'],
    lr: '0.01',
  },
  {
    tracker: 'SwanLab, offline runs in a folder',
    path: 'swanlab',
    metric: 'val/loss',
    words: ['crash', 'finished', 'finished'],
    lr: '0.01',
  },
])(
  'what $tracker left is a study with an experiment a run and its curves',
  async ({ path, metric, words, lr }) => {
    const { study, skipped, names, experiments, run, series, setting, ...found } = await imported(
      join(FIXTURES, path),
    );
    expect(skipped).toEqual([]);
    expect(study).toMatchObject({
      state: 'imported',
      contract: { metric: { name: metric, goal: 'minimize' } },
    });
    expect(names).toEqual(RATES.map(rate => `rate-${rate}`));
    expect(found.words).toEqual(words);
    expect(experiments[2]?.metric).toBeCloseTo(valLoss(0.01, STEPS - 1), 12);
    expect(setting(2, 'lr')).toBe(lr);
    expect(series(2, metric)).toHaveLength(STEPS);
    for (const [index, { step, value }] of series(2, metric).entries()) {
      expect(step).toBe(index);
      expect(value).toBeCloseTo(valLoss(0.01, index), 12);
    }
    const { startedAt, endedAt } = experiments[2] ?? {};
    expect(startedAt).toBeGreaterThan(1_600_000_000_000);
    expect(endedAt).toBeGreaterThanOrEqual(startedAt ?? Number.NaN);
    expect(run(2)).toMatchObject({ isContained: null, fairness: null, resources: expect.anything() });
  },
);

test('event files of TensorBoard are read, scalars written as numbers and as tensors', async () => {
  const { study, names, series, words, skipped } = await imported(join(FIXTURES, 'tensorboard'));
  expect(skipped).toEqual([]);
  expect(study.contract.metric).toMatchObject({ name: 'val/loss', goal: 'minimize' });
  expect(words).toEqual(['none', 'none', 'none']);
  for (const rate of RATES) {
    const points = series(names.indexOf(`rate-${rate}`), 'val/loss');
    expect(points.map(({ step }) => step)).toEqual(curve(rate).map(({ step }) => step));
    for (const [index, { value }] of points.entries()) expect(value).toBeCloseTo(valLoss(rate, index), 6);
  }
});

test('of a run of TensorBoard that began again at a checkpoint, what the restart took back is left out', async () => {
  const { series, experiments, names } = await imported(join(FIXTURES, 'tensorboard-restart'), 'test/loss');
  expect(names).toEqual(['tensorboard-restart']);
  const points = series(0, 'val/loss');
  expect(points.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4]);
  expect(points[4]?.value).toBeCloseTo(valLoss(0.1, 4) - 0.3, 6);
  // The one of step 5 was taken back and not measured again.
  expect(experiments[0]?.metric).toBe(1);
});

type LogFile = { readonly name: string; readonly content: Buffer };

const wandbFile = () => firstLog(join(FIXTURES, 'wandb-offline', 'wandb'));
const swanlabFile = () => firstLog(join(FIXTURES, 'swanlab'));

async function firstLog(folder: string): Promise<LogFile> {
  const [first = ''] = (await readdir(folder)).sort();
  const [name = ''] = (await readdir(join(folder, first))).filter(file => file.startsWith('run-'));
  return { name, content: await readFile(join(folder, first, name)) };
}

async function eventFile(): Promise<LogFile> {
  const folder = join(FIXTURES, 'tensorboard', 'rate-0.1');
  const [name = ''] = await readdir(folder);
  return { name, content: await readFile(join(folder, name)) };
}

test.each([
  ['Weights & Biases', wandbFile],
  ['SwanLab', swanlabFile],
  ['TensorBoard', eventFile],
] as const)(
  'a run of %s that was killed keeps what was whole, and is told from a broken one',
  async (_, read) => {
    const { name, content } = await read();
    const folder = await temporaryFolder();
    const path = join(folder, name);
    const whole = (await (await written(path, content)).series(0, 'train/loss')).length;
    expect(whole).toBe(STEPS);
    const cut = await written(path, content.subarray(0, Math.floor(content.length * 0.6) + 3));
    expect(cut.skipped).toEqual([
      expect.stringMatching(/ends in the middle of a record, as after a killed run\.$/),
    ]);
    const kept = cut.series(0, 'train/loss');
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.length).toBeLessThan(STEPS);
    for (const [index, { value }] of kept.entries()) expect(value).toBeCloseTo(valLoss(0.1, index) - 0.1, 6);
    const broken = Buffer.from(content);
    const middle = Math.floor(content.length * 0.6);
    broken[middle] = (broken[middle] ?? 0) ^ 0x55;
    const mended = await written(path, broken);
    expect(mended.skipped).toEqual([expect.stringMatching(/broken records were left out\.$/)]);
    const left = ['train/loss', 'val/loss'].map(metric => mended.series(0, metric).length);
    expect(Math.min(...left)).toBeLessThan(STEPS);
    expect(Math.min(...left)).toBeGreaterThan(10);
  },
);

async function written(path: string, content: Buffer) {
  await writeFile(path, content);
  return imported(path, 'train/loss');
}

test('a log of an older SwanLab is told, and a run without its settings is read', async () => {
  const folder = await temporaryFolder();
  const { name, content } = await swanlabFile();
  const path = join(folder, name);
  await writeFile(path, content);
  expect((await imported(path, 'val/loss')).series(0, 'val/loss')).toHaveLength(STEPS);
  const older = Buffer.from(content);
  older[6] = 1;
  await writeFile(path, older);
  await expect(imported(folder)).rejects.toMatchObject({
    message: expect.stringContaining(`${name} is no log of Weights & Biases, nor one of SwanLab 0.10.`),
  });
});

test('a value that two settings of SwanLab share, which PyYAML writes once, is read for both', async () => {
  const folder = await temporaryFolder();
  const { name, content } = await swanlabFile();
  await mkdir(join(folder, 'files'));
  await writeFile(join(folder, name), content);
  const shared = 'layers:\n  value: &id001\n  - 1\n  - 2\nwidths:\n  value: *id001\n';
  await writeFile(join(folder, 'files', 'config.yaml'), shared);
  const { setting } = await imported(join(folder, name), 'val/loss');
  expect(setting(0, 'widths')).toBe(setting(0, 'layers'));
  expect(setting(0, 'widths')).toContain('2');
});

test('numbers that a run of Weights & Biases says to count are beside the last ones, and one taken back is not', async () => {
  const { study, experiments, series } = await imported(join(FIXTURES, 'wandb-summaries'), 'val/loss.min');
  const row = Object.fromEntries(
    (study.importColumns ?? []).map((name, index) => [name, experiments[0]?.imported?.[index]]),
  );
  expect(row).toEqual({
    ...{ run_name: 'summaries', status: 'finished', commit: '', 'grad.norm': '3', 'test.auc': '0.9' },
    ...{
      'val/loss': '1.5',
      'val/loss.min': '1',
      'val/acc': '0.3',
      'val/acc.last': '0.3',
      'val/acc.max': '0.4',
    },
  });
  expect(experiments[0]?.metric).toBe(1);
  expect(series(0, 'val/loss').map(({ value }) => value)).toEqual([2, 1, 1.5]);
});

test('a log of Weights & Biases that got no further than its header is told, and is no run', async () => {
  const folder = await temporaryFolder();
  const { name, content } = await wandbFile();
  await writeFile(join(folder, name), content);
  await writeFile(join(folder, 'run-killed.wandb'), content.subarray(0, 7));
  const { names, skipped } = await imported(folder, 'train/loss');
  expect(names).toEqual(['rate-0.1']);
  expect(skipped).toEqual([
    'run-killed.wandb holds nothing but its header, as after a run that was killed before its first block was written.',
  ]);
  await expect(imported(join(folder, 'run-killed.wandb'))).rejects.toMatchObject({
    message: expect.stringMatching(
      /^run-killed\.wandb holds no run: run-killed\.wandb holds nothing but its header/,
    ),
  });
});

test('a run of trackio whose steps went back, one renamed later, and nested numbers', async () => {
  const path = join(await temporaryFolder(), 'demo.db');
  await cp(join(FIXTURES, 'trackio', 'demo.db'), path);
  const database = new BetterSqlite3(path);
  // As trackio 0.43.0 leaves them: `rename` writes the lines anew, and `log(step=…)` takes any step.
  database.exec(
    `UPDATE metrics SET id = id + 1000, run_name = 'renamed' WHERE run_name = 'rate-0.1';
     INSERT INTO metrics (run_id, timestamp, run_name, step, metrics)
       SELECT run_id, '2026-12-01T00:00:00.000000+00:00', run_name, 0, '{"test":{"auc":0.9,"ece":"NaN"}}'
       FROM metrics WHERE run_name = 'rate-0.03' LIMIT 1;`,
  );
  database.close();
  const { names, experiments, series, study } = await imported(path, 'val/loss');
  expect(names).toEqual(['renamed', 'rate-0.03', 'rate-0.01']);
  expect(experiments[1]?.endedAt).toBe(Date.parse('2026-12-01T00:00:00Z'));
  expect(series(1, 'test.auc')).toEqual([{ step: 0, value: 0.9 }]);
  expect(study.importColumns).toEqual(expect.arrayContaining(['test.auc', 'test.ece']));
});

test('a log cut anywhere, or with any byte changed, is read or refused and never more', async () => {
  const folder = await temporaryFolder();
  for (const { name, content } of [await wandbFile(), await swanlabFile(), await eventFile()]) {
    const path = join(folder, name);
    for (let at = 0; at < content.length; at += 797) {
      const changed = Buffer.from(content);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      for (const variant of [content.subarray(0, at), changed]) {
        await writeFile(path, variant);
        await imported(path, 'train/loss').catch(error => {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(?:import_invalid|usage)$/) });
        });
      }
    }
  }
});

test('a database is read from a copy: nothing is made beside it, and its program may go on', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'demo.db');
  await cp(join(FIXTURES, 'trackio', 'demo.db'), path);
  const owner = new BetterSqlite3(path);
  onTestFinished(() => void owner.close());
  owner.pragma('journal_mode = WAL');
  owner.exec(
    `INSERT INTO metrics (run_id, timestamp, run_name, step, metrics)
     SELECT run_id, timestamp, run_name, 40, '{"val/loss": 0.5}' FROM metrics ORDER BY id LIMIT 1`,
  );
  const before = (await readdir(folder)).sort();
  const { experiments } = await imported(path);
  expect(experiments[0]?.metric).toBe(0.5);
  expect((await readdir(folder)).sort()).toEqual(before);
  owner.exec('BEGIN IMMEDIATE');
  expect((await imported(path)).experiments).toHaveLength(3);
  owner.exec('ROLLBACK');
});

test('a database of something else, one that would count for ever, and a folder without runs are refused', async () => {
  const folder = await temporaryFolder();
  const make = (name: string, sql: string) => {
    const database = new BetterSqlite3(join(folder, name));
    database.exec(sql);
    database.close();
    return join(folder, name);
  };
  const paths = [
    make('other.db', 'CREATE TABLE metrics (a)'),
    make(
      'view.db',
      `CREATE VIEW metrics AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
       SELECT i AS id, i AS timestamp, i AS run_name, i AS step, '{}' AS metrics FROM n`,
    ),
    folder,
  ];
  for (const path of paths) {
    await expect(imported(path)).rejects.toMatchObject({ code: 'import_invalid' });
  }
});

test('the terminal tells of runs that nobody judged, and shows their curves', async () => {
  const home = await temporaryFolder();
  const folder = join(home, 'wandb');
  await mkdir(folder);
  await cp(join(FIXTURES, 'wandb-offline', 'wandb'), folder, { recursive: true });
  const { code, stdout } = await pawl(['import', folder], { home });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      'Imported 3 experiments as wandb: 0 keep, 0 discard, 1 crash, 2 other, keep rate –.\n' +
      'val/loss: lower is better, as its name says.\nNothing was kept, so there is no best.\n',
  });
  const shown = await pawl(['show', '1', '--series', '--tag', 'wandb'], { home });
  expect(shown.stdout.split('\n')).toHaveLength(STEPS + 2);
});

test('the more runs there are, the fewer points of each are kept, and of each series the same ones', () => {
  const steps = [...Array(500).keys()];
  const series = [...Array(10).keys()].map(index => `loss${index}`);
  const runs = 200;
  const gatherers = new RunGatherers(runs, 200_000);
  const held: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const gatherer = gatherers.next();
    // As MLflow has them: number after number.
    for (const step of steps) for (const name of series) gatherer.add(step, step, [[name, step]]);
    held.push(gatherer.held);
    const points = gatherer.points();
    expect(points.length).toBeGreaterThan(30);
    expect(points.every(({ values }) => values.size === series.length + 1)).toBe(true);
    expect(gatherer.summary.get('loss9')).toBe(499);
  }
  expect(held.reduce((sum, values) => sum + values)).toBeLessThanOrEqual(200_000);
});

test('what a short run leaves of the room is for the next ones', () => {
  const gatherers = new RunGatherers(2, 1_000);
  gatherers.next().add(0, 0, [['loss', 1]]);
  const long = gatherers.next();
  for (let step = 0; step < 200; step += 1) long.add(step, step, [['loss', step]]);
  expect(long.points()).toHaveLength(200);
});
