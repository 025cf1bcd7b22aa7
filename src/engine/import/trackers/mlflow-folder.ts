import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import type { Skipped } from '../../../shared/imports.ts';
import { counted } from '../../../shared/numbers.ts';
import { COMMIT_TAG, isSystemMetric } from './mlflow-words.ts';
import {
  MAX_RUNS,
  type RunGatherer,
  RunGatherers,
  type Tracked,
  type TrackedRun,
  wholeTime,
} from './tracked-run.ts';

const MAX_METRIC_BYTES = 16 * 1024 * 1024;
const MAX_SMALL_BYTES = 64 * 1024;
const MAX_FILES = 1_000;
/** Further numbers of a run are ignored. */
const MAX_LINES = 1_000_000;

/** Numbers of MLflow's `RunStatus`. */
const STATUSES = new Map([
  ['1', 'RUNNING'],
  ['2', 'SCHEDULED'],
  ['3', 'FINISHED'],
  ['4', 'FAILED'],
  ['5', 'KILLED'],
]);

/** The run folders in a file store (`<experiment>/<run>/meta.yaml`), in one experiment, or the folder of one run. */
export async function findMlflowRuns(folder: string): Promise<readonly string[]> {
  const meta = await readMeta(folder);
  if (meta?.has('run_id')) return [folder];
  const runs: string[] = [];
  const own = await foldersIn(folder);
  const experiments = meta?.has('experiment_id') ? [folder] : own.map(name => join(folder, name));
  for (const experiment of experiments) {
    const isExperiment = experiment === folder || (await readMeta(experiment))?.has('experiment_id');
    if (!isExperiment) continue;
    for (const name of await foldersIn(experiment)) {
      if (runs.length > MAX_RUNS) return runs;
      if ((await readMeta(join(experiment, name)))?.has('run_id')) runs.push(join(experiment, name));
    }
  }
  return runs;
}

/** The runs in MLflow's file store, without deleted ones, in the order in which they began. */
export async function readMlflowFolder(folders: readonly string[]): Promise<Tracked> {
  const runs: TrackedRun[] = [];
  const skipped: Skipped[] = [];
  const gatherers = new RunGatherers(Math.min(folders.length, MAX_RUNS));
  const isOneExperiment = new Set(folders.map(folder => dirname(folder))).size === 1;
  for (const folder of folders.slice(0, MAX_RUNS)) {
    const meta = await readMeta(folder);
    if (!meta || meta.get('lifecycle_stage') === 'deleted') continue;
    const experiment = isOneExperiment ? null : (await readMeta(dirname(folder)))?.get('name');
    const run = await readRun(gatherers.next(), folder, meta, skipped);
    runs.push(experiment ? { ...run, name: `${experiment}: ${run.name}` } : run);
  }
  if (folders.length > MAX_RUNS) {
    skipped.push({ line: null, reason: `only the first ${MAX_RUNS} runs were read.` });
  }
  return { runs: runs.sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)), skipped };
}

async function readRun(
  gatherer: RunGatherer,
  folder: string,
  meta: ReadonlyMap<string, string>,
  skipped: Skipped[],
): Promise<TrackedRun> {
  const start = timeOf(meta.get('start_time'));
  const name = meta.get('run_name') || meta.get('run_id') || 'run';
  const lines: {
    readonly key: string;
    readonly at: number;
    readonly value: number;
    readonly step: number;
  }[] = [];
  for (const key of await filesIn(join(folder, 'metrics'))) {
    if (isSystemMetric(key)) continue;
    if (lines.length >= MAX_LINES) {
      skipped.push({
        line: null,
        reason: `${name}: after ${MAX_LINES} numbers the metric ${key} was not read.`,
      });
      continue;
    }
    const text = await readBounded(join(folder, 'metrics', key), MAX_METRIC_BYTES);
    if (text === null) {
      skipped.push({ line: null, reason: `${name}: the metric ${key} is too large to be read.` });
      continue;
    }
    let unread = 0;
    for (const line of text.split('\n')) {
      // Time in milliseconds, value, step.
      const [at, value, step = '0'] = line.trim().split(' ');
      if (!at) continue;
      const number = readPythonNumber(value ?? '');
      if (number === null || !/^-?\d+$/.test(at) || !/^-?\d+$/.test(step)) unread += 1;
      else lines.push({ key, at: Number(at), value: number, step: Number(step) });
    }
    if (unread > 0)
      skipped.push({
        line: null,
        reason: `${name}: ${counted(unread, 'line')} of the metric ${key} ${unread === 1 ? 'is no number' : 'are not numbers'}.`,
      });
  }
  lines.sort((a, b) => a.step - b.step || a.at - b.at);
  for (const { key, at, value, step } of lines) {
    gatherer.add(start === null ? 0 : Math.max(0, (at - start) / 1000), step, [[key, value]]);
  }
  for (const key of await filesIn(join(folder, 'params'))) {
    gatherer.setting(key, (await readBounded(join(folder, 'params', key), MAX_SMALL_BYTES)) ?? '');
  }
  const commit = await readBounded(join(folder, 'tags', COMMIT_TAG), MAX_SMALL_BYTES);
  return {
    name,
    status: STATUSES.get(meta.get('status') ?? '') ?? meta.get('status') ?? null,
    exitCode: null,
    startedAt: start,
    endedAt: timeOf(meta.get('end_time')),
    settings: gatherer.settings,
    summary: gatherer.summary,
    points: gatherer.points(),
    commit: commit?.trim() || null,
  };
}

/** The texts and numbers of a `meta.yaml`, as text. Null if there is none. */
async function readMeta(folder: string): Promise<ReadonlyMap<string, string> | null> {
  const text = await readBounded(join(folder, 'meta.yaml'), MAX_SMALL_BYTES);
  if (text === null) return null;
  // Without types: a run may be named `1e3` or `null`.
  const document = parseDocument(text, { schema: 'failsafe' });
  const entries = isMap(document.contents) ? document.contents.items : [];
  return new Map(
    entries.flatMap(({ key, value }) =>
      isScalar(key) && isScalar(value) ? [[String(key.value), String(value.value)] as const] : [],
    ),
  );
}

async function readBounded(path: string, limit: number): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile() || found.size > limit) return null;
  return readFile(path, 'utf8');
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .flatMap(entry => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : []))
    .sort()
    .slice(0, MAX_RUNS + 1);
}

/** Files in a folder, by relative path: the metric `val/loss` is the file `loss` in `val`. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .flatMap(entry => {
      if (!entry.isFile()) return [];
      const inside = join(entry.parentPath, entry.name).slice(folder.length + 1);
      return [inside.replaceAll('\\', '/')];
    })
    .sort()
    .slice(0, MAX_FILES);
}

function timeOf(text: string | undefined): number | null {
  return wholeTime(text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : null);
}

function readPythonNumber(text: string): number | null {
  const special = /^(-?)(nan|inf)$/i.exec(text);
  if (special) return special[2]?.toLowerCase() === 'nan' ? Number.NaN : Number(`${special[1]}Infinity`);
  return /^-?\d/.test(text) && Number.isFinite(Number(text)) ? Number(text) : null;
}
