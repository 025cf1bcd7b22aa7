import type { Database } from 'better-sqlite3';
import type { Goal } from '../imported-table.ts';
import { type OptunaStudy, type OptunaTrial, parameterText, parse, trackedTrials } from './optuna-trials.ts';
import { columnsOf } from './sqlite-copy.ts';
import { MAX_RUNS, type Tracked, wholeTime } from './tracked-run.ts';

/** Further reports of a trial are ignored. */
const MAX_REPORTS = 100_000;
/** Further parameters and objectives of a trial are ignored. */
const MAX_PARTS = 1_000;

const COLUMNS = {
  studies: ['study_id', 'study_name'],
  study_directions: ['study_id', 'direction', 'objective'],
  study_system_attributes: ['study_id', 'key', 'value_json'],
  trials: ['trial_id', 'number', 'study_id', 'state', 'datetime_start', 'datetime_complete'],
  trial_params: ['trial_id', 'param_name', 'param_value', 'distribution_json'],
  trial_values: ['trial_id', 'objective', 'value', 'value_type'],
  trial_intermediate_values: ['trial_id', 'step', 'intermediate_value', 'intermediate_value_type'],
  version_info: ['library_version'],
} as const;

type TrialRow = {
  trial_id: number;
  number: number;
  study_id: number;
  state: string;
  datetime_start: string | null;
  datetime_complete: string | null;
};

export function isOptunaDatabase(database: Database): boolean {
  return Object.entries(COLUMNS).every(([table, names]) => {
    const columns = columnsOf(database, table);
    return names.every(name => columns.has(name));
  });
}

/** The trials in Optuna's SQLite, study by study; without those that wait for their turn. */
export function readOptunaDatabase(database: Database): Tracked {
  const studies = new Map<number, OptunaStudy>();
  const has = "FROM trials WHERE state IS NOT 'WAITING'";
  const { count } = database.prepare<[], { count: number }>(`SELECT count(*) AS count ${has}`).get() ?? {
    count: 0,
  };
  const rows = database
    .prepare<[number], TrialRow>(
      `SELECT trial_id, number, study_id, state, datetime_start, datetime_complete ${has}
       ORDER BY study_id, number LIMIT ?`,
    )
    .all(MAX_RUNS);
  const values = database.prepare<[number, number], { value: number | null; type: string }>(
    'SELECT value, value_type AS type FROM trial_values WHERE trial_id = ? ORDER BY objective LIMIT ?',
  );
  const parameters = database.prepare<
    [number, number],
    { name: string; value: number; distribution: string }
  >(
    `SELECT param_name AS name, param_value AS value, distribution_json AS distribution
     FROM trial_params WHERE trial_id = ? ORDER BY param_name LIMIT ?`,
  );
  const reports = database.prepare<[number, number], { step: number; value: number | null; type: string }>(
    `SELECT step, intermediate_value AS value, intermediate_value_type AS type
     FROM trial_intermediate_values WHERE trial_id = ? ORDER BY step LIMIT ?`,
  );
  const timeOf = clockOf(database);
  const read = function* (): Generator<OptunaTrial> {
    for (const row of rows) {
      const study = studies.get(row.study_id) ?? studyOf(database, row.study_id);
      studies.set(row.study_id, study);
      yield {
        ...{ study, number: row.number, state: row.state },
        ...{ startedAt: timeOf(row.datetime_start), endedAt: timeOf(row.datetime_complete) },
        values: values.all(row.trial_id, MAX_PARTS).map(numberOf),
        parameters: parameters
          .all(row.trial_id, MAX_PARTS)
          .map(({ name, value, distribution }) => [name, parameterText(value, distribution)] as const),
        reports: reports
          .all(row.trial_id, MAX_REPORTS)
          .map(report => [report.step, numberOf(report)] as const),
      };
    }
  };
  return trackedTrials(read(), count);
}

function studyOf(database: Database, id: number): OptunaStudy {
  const [study] = database
    .prepare<[number], { name: string }>('SELECT study_name AS name FROM studies WHERE study_id = ?')
    .all(id);
  const goals = database
    .prepare<[number, number], { direction: string }>(
      'SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective LIMIT ?',
    )
    .all(id, MAX_PARTS);
  const names = database
    .prepare<[number], { json: string }>(
      `SELECT value_json AS json FROM study_system_attributes
       WHERE study_id = ? AND key = 'study:metric_names'`,
    )
    .get(id);
  return {
    name: study?.name ?? `study ${id}`,
    goals: goals.map(({ direction }) => GOALS[direction] ?? null),
    metricNames: Object.values(parse(names?.json ?? '')).map(String),
  };
}

const GOALS: Readonly<Record<string, Goal>> = { MINIMIZE: 'minimize', MAXIMIZE: 'maximize' };

/** SQLite has no infinities: the type of a value says that it is one. */
function numberOf({ value, type }: { readonly value: number | null; readonly type: string }): number {
  if (type === 'INF_POS') return Infinity;
  if (type === 'INF_NEG') return -Infinity;
  return value ?? Number.NaN;
}

/** Reads times: Optuna writes UTC since version 5, and before that the local time of its machine, without a zone. */
function clockOf(database: Database): (text: string | null) => number | null {
  const version = database
    .prepare<[], { version: string }>('SELECT library_version AS version FROM version_info')
    .get();
  const zone = Number.parseInt(version?.version ?? '', 10) >= 5 ? 'Z' : '';
  return text => wholeTime(text === null ? null : Date.parse(`${text.replace(' ', 'T')}${zone}`));
}
