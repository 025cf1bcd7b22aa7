import type { Database } from 'better-sqlite3';
import { jsonText } from '../json-text.ts';
import { numbersOf } from './json-numbers.ts';
import { columnsOf } from './sqlite-copy.ts';
import { MAX_RUNS, RunGatherers, type Tracked, wholeTime } from './tracked-run.ts';

/** Further lines of a run are ignored. */
const MAX_ROWS = 1_000_000;
/** A longer line contains an image or a table. */
const MAX_LINE_CHARACTERS = 100_000;

export function isTrackioDatabase(database: Database): boolean {
  const metrics = columnsOf(database, 'metrics');
  return ['timestamp', 'run_name', 'step', 'metrics'].every(name => metrics.has(name));
}

/** The runs of a trackio project: one JSON line per `log`. Older versions identify runs only by name. */
export function readTrackioDatabase(database: Database): Tracked {
  const key = columnsOf(database, 'metrics').has('run_id') ? 'run_id' : 'run_name';
  const rows = database
    .prepare<[number], { key: string; name: string; start: string; end: string }>(
      // Not by `id`: a run that is renamed is written anew.
      `SELECT ${key} AS key, min(run_name) AS name, min(timestamp) AS start, max(timestamp) AS end
       FROM metrics GROUP BY ${key} ORDER BY start, min(id) LIMIT ?`,
    )
    .all(MAX_RUNS + 1);
  const lines = database.prepare<
    [string, number, number],
    { timestamp: string; step: number; metrics: string }
  >(
    `SELECT timestamp, step, metrics FROM metrics WHERE ${key} = ? AND length(metrics) <= ? ORDER BY step, id LIMIT ?`,
  );
  const configs = columnsOf(database, 'configs');
  const settings =
    configs.has(key) && configs.has('config')
      ? database.prepare<[string, number], { config: string }>(
          `SELECT config FROM configs WHERE ${key} = ? AND length(config) <= ? LIMIT 1`,
        )
      : null;
  const gatherers = new RunGatherers(Math.min(rows.length, MAX_RUNS));
  const runs = rows.slice(0, MAX_RUNS).map(run => {
    const gatherer = gatherers.next();
    const start = timeOf(run.start);
    for (const line of lines.iterate(run.key, MAX_LINE_CHARACTERS, MAX_ROWS)) {
      const at = timeOf(line.timestamp);
      const values = Object.entries(parseObject(line.metrics)).flatMap(([name, value]) => [
        ...numbersOf(name, value),
      ]);
      gatherer.add(start === null || at === null ? 0 : Math.max(0, at - start) / 1000, line.step, values);
    }
    const config = settings?.get(run.key, MAX_LINE_CHARACTERS)?.config;
    for (const [name, value] of Object.entries(parseObject(config ?? '{}'))) {
      // Names like `_Created` belong to trackio itself.
      if (!name.startsWith('_')) gatherer.setting(name, jsonText(value) ?? '');
    }
    return {
      name: run.name || run.key,
      status: null,
      exitCode: null,
      startedAt: start,
      endedAt: timeOf(run.end),
      settings: gatherer.settings,
      summary: gatherer.summary,
      points: gatherer.points(),
      commit: null,
    };
  });
  const isCut = rows.length > MAX_RUNS;
  return {
    runs,
    skipped: isCut ? [{ line: null, reason: `only the first ${MAX_RUNS} runs were read.` }] : [],
  };
}

function timeOf(timestamp: string): number | null {
  return wholeTime(Date.parse(timestamp));
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
