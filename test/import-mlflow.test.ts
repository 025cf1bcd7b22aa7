import { appendFile, cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { FIXTURES, imported } from './support/imported-runs.ts';
import { temporaryFolder } from './support/scaffold.ts';

const COMMIT = '8a002220bf806ff97b7e81953965602697a369b4';

/**
 * Copies of the two stores, in which the second run is as MLflow leaves one that diverged, and that logged system metrics
 * and three numbers in one millisecond.
 */
async function oddMlflow(): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  const path = join(folder, 'mlflow.db');
  await cp(join(FIXTURES, 'mlflow-sqlite', 'mlflow.db'), path);
  const database = new BetterSqlite3(path);
  database.exec(
    `CREATE TEMP TABLE odd AS SELECT run_uuid FROM runs WHERE name = 'rate-0.03';
     INSERT INTO metrics (run_uuid, key, value, timestamp, step, is_nan)
       SELECT run_uuid, 'val_loss', 1.7976931348623157e308, 1700000145000, 40, 0 FROM odd
       UNION ALL SELECT run_uuid, 'val_loss', -1.7976931348623157e308, 1700000145001, 41, 0 FROM odd
       UNION ALL SELECT run_uuid, 'quick_loss', 0.5, 1700000145000, 0, 0 FROM odd
       UNION ALL SELECT run_uuid, 'quick_loss', 0.9, 1700000145000, 0, 0 FROM odd
       UNION ALL SELECT run_uuid, 'quick_loss', 0.3, 1700000145000, 0, 0 FROM odd
       UNION ALL SELECT run_uuid, 'system/cpu_utilization_percentage', 97.5, 1700000145000, 0, 0 FROM odd;
     INSERT INTO tags (run_uuid, key, value) SELECT run_uuid, 'mlflow.source.git.commit', '${COMMIT}' FROM odd;`,
  );
  database.close();
  const store = join(folder, 'mlruns');
  await cp(join(FIXTURES, 'mlruns'), store, { recursive: true });
  const [experiment = ''] = await readdir(store);
  const [run = ''] = await runsNamed(join(store, experiment), 'rate-0.03');
  await writeFile(
    join(run, 'metrics', 'quick_loss'),
    '1700000145000 0.5 0\n1700000145000 0.9 0\n1700000145000 0.3 0\n',
  );
  await mkdir(join(run, 'metrics', 'system'), { recursive: true });
  await appendFile(join(run, 'metrics', 'val_loss'), '1700000145000 inf 40\n1700000145001 -inf 41\n');
  await writeFile(join(run, 'metrics', 'system', 'cpu_utilization_percentage'), '1700000145000 97.5 0\n');
  await writeFile(join(run, 'tags', 'mlflow.source.git.commit'), COMMIT);
  return [path, store];
}

async function runsNamed(experiment: string, name: string): Promise<readonly string[]> {
  const folders = (await readdir(experiment)).filter(entry => entry !== 'meta.yaml');
  const metas = await Promise.all(
    folders.map(
      async folder => [folder, await readFile(join(experiment, folder, 'meta.yaml'), 'utf8')] as const,
    ),
  );
  return metas.flatMap(([folder, meta]) =>
    meta.includes(`run_name: ${name}\n`) ? [join(experiment, folder)] : [],
  );
}

test('the stores of MLflow say the same of infinities, system metrics and the commit', async () => {
  for (const path of await oddMlflow()) {
    const { experiments, series, study } = await imported(path, 'val_loss');
    expect(
      series(1, 'val_loss')
        .slice(-2)
        .map(({ value }) => value),
    ).toEqual([Infinity, -Infinity]);
    expect(experiments[1]?.metric).toBeNull();
    expect(study.importColumns?.filter(name => name.startsWith('system/'))).toEqual([]);
    expect(experiments.map(({ attemptCommit }) => attemptCommit)).toEqual([null, COMMIT, null]);
  }
});

test('a name that MLflow’s YAML quotes and folds is read whole', async () => {
  const store = join(await temporaryFolder(), 'mlruns');
  await cp(join(FIXTURES, 'mlruns'), store, { recursive: true });
  const [experiment = ''] = await readdir(store);
  const [run = ''] = await runsNamed(join(store, experiment), 'rate-0.03');
  const meta = await readFile(join(run, 'meta.yaml'), 'utf8');
  const folded = `'it''s: the "long" name of a run that a good many people write when they
  describe in words what they tried'`;
  await writeFile(join(run, 'meta.yaml'), meta.replace('rate-0.03', folded));
  expect((await imported(store)).names[1]).toBe(
    'it\'s: the "long" name of a run that a good many people write when they describe in words what they tried',
  );
});

test('runs of several experiments have the experiment before their name, in a folder as in a database', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'mlflow.db');
  await cp(join(FIXTURES, 'mlflow-sqlite', 'mlflow.db'), path);
  const database = new BetterSqlite3(path);
  database.exec(`UPDATE runs SET experiment_id = 0 WHERE name = 'rate-0.01'`);
  database.close();
  const store = join(folder, 'mlruns');
  const [experiment = ''] = await readdir(join(FIXTURES, 'mlruns'));
  await cp(join(FIXTURES, 'mlruns'), store, { recursive: true });
  const meta = await readFile(join(store, experiment, 'meta.yaml'), 'utf8');
  const [run = ''] = await runsNamed(join(store, experiment), 'rate-0.01');
  await mkdir(join(store, '0'));
  await writeFile(join(store, '0', 'meta.yaml'), meta.replace('name: demo', 'name: Default'));
  await rename(run, join(store, '0', basename(run)));
  for (const place of [path, store])
    expect((await imported(place)).names).toEqual([
      'demo: rate-0.1',
      'demo: rate-0.03',
      'Default: rate-0.01',
    ]);
});

test('of the numbers that MLflow has of one step and millisecond the one logged last counts', async () => {
  for (const path of await oddMlflow()) {
    const { experiments } = await imported(path, 'quick_loss');
    expect(experiments[1]?.metric).toBe(0.3);
  }
});
