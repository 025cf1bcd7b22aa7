import type { Database } from 'better-sqlite3';
import { COMMIT_TAG, isSystemMetric } from './mlflow-words.ts';
import { columnsOf } from './sqlite-copy.ts';
import { MAX_RUNS, RunGatherers, type Tracked, type TrackedRun, wholeTime } from './tracked-run.ts';

/** Further numbers of a run are ignored. */
const MAX_ROWS = 1_000_000;

type RunRow = {
  run_uuid: string;
  name: string | null;
  status: string | null;
  start_time: number | null;
  end_time: number | null;
  commit_id: string | null;
  experiment: string | null;
};

export function isMlflowDatabase(database: Database): boolean {
  const runs = columnsOf(database, 'runs');
  return (
    ['run_uuid', 'name', 'status', 'start_time', 'end_time', 'experiment_id', 'lifecycle_stage'].every(name =>
      runs.has(name),
    ) &&
    ['run_uuid', 'key', 'value', 'timestamp', 'step', 'is_nan'].every(name =>
      columnsOf(database, 'metrics').has(name),
    )
  );
}

/** The runs in MLflow's SQLite store, without deleted ones, in the order in which they began. */
export function readMlflowDatabase(database: Database): Tracked {
  const has = (table: string, ...names: readonly string[]) =>
    names.every(name => columnsOf(database, table).has(name));
  const commit = has('tags', 'run_uuid', 'key', 'value')
    ? `(SELECT t.value FROM tags t WHERE t.run_uuid = runs.run_uuid AND t.key = '${COMMIT_TAG}')`
    : 'NULL';
  const experiment = has('experiments', 'experiment_id', 'name')
    ? '(SELECT e.name FROM experiments e WHERE e.experiment_id = runs.experiment_id)'
    : 'NULL';
  const rows = database
    .prepare<[number], RunRow>(
      `SELECT run_uuid, name, status, start_time, end_time, ${commit} AS commit_id, ${experiment} AS experiment
       FROM runs WHERE lifecycle_stage IS NOT 'deleted' ORDER BY start_time, rowid LIMIT ?`,
    )
    .all(MAX_RUNS + 1);
  const metrics = database.prepare<
    [string, number],
    { key: string; value: number; timestamp: number; step: number; is_nan: number }
  >(
    'SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY step, timestamp, rowid LIMIT ?',
  );
  const params = has('params', 'run_uuid', 'key', 'value')
    ? database.prepare<[string], { key: string; value: string }>(
        'SELECT key, substr(value, 1, 1000) AS value FROM params WHERE run_uuid = ? LIMIT 1000',
      )
    : null;
  const isOneExperiment = new Set(rows.map(row => row.experiment)).size <= 1;
  const gatherers = new RunGatherers(Math.min(rows.length, MAX_RUNS));
  const runs = rows.slice(0, MAX_RUNS).map((row): TrackedRun => {
    const gatherer = gatherers.next();
    const start = row.start_time;
    for (const { key, value, timestamp, step, is_nan } of metrics.iterate(row.run_uuid, MAX_ROWS)) {
      if (isSystemMetric(String(key))) continue;
      gatherer.add(start === null ? 0 : Math.max(0, (timestamp - start) / 1000), step, [
        [String(key), is_nan === 1 ? Number.NaN : numberOf(value)],
      ]);
    }
    for (const { key, value } of params?.iterate(row.run_uuid) ?? [])
      gatherer.setting(String(key), String(value));
    const name = row.name || row.run_uuid;
    return {
      name: isOneExperiment || row.experiment === null ? name : `${row.experiment}: ${name}`,
      status: row.status,
      exitCode: null,
      startedAt: wholeTime(start),
      endedAt: wholeTime(row.end_time),
      settings: gatherer.settings,
      summary: gatherer.summary,
      points: gatherer.points(),
      commit: row.commit_id,
    };
  });
  const isCut = rows.length > MAX_RUNS;
  return {
    runs,
    skipped: isCut ? [{ line: null, reason: `only the first ${MAX_RUNS} runs were read.` }] : [],
  };
}

/** MLflow's databases hold the largest double in place of an infinity. */
function numberOf(value: number): number {
  const number = Number(value);
  return Math.abs(number) === Number.MAX_VALUE ? Math.sign(number) * Infinity : number;
}
