import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import type { Skipped } from '../../../shared/imports.ts';
import { openPlainFile, readPlainFile } from '../plain-file.ts';
import { isMlflowDatabase, readMlflowDatabase } from './mlflow-database.ts';
import { findMlflowRuns, readMlflowFolder } from './mlflow-folder.ts';
import { isOptunaDatabase, readOptunaDatabase } from './optuna-database.ts';
import { isOptunaJournal, readOptunaJournal } from './optuna-journal.ts';
import type { RecordEnd } from './record-file.ts';
import { withSqliteCopy } from './sqlite-copy.ts';
import { isSwanlabFile, readSwanlabRun } from './swanlab-run.ts';
import { isEventFileName, readTensorboardRun } from './tensorboard-log.ts';
import {
  MAX_FILE_BYTES,
  MAX_RUNS,
  type RunGatherer,
  RunGatherers,
  type Tracked,
  type TrackedRun,
} from './tracked-run.ts';
import { isTrackioDatabase, readTrackioDatabase } from './trackio-database.ts';
import { isWandbFile, readWandbRun } from './wandb-run.ts';

/** A log of Weights & Biases or of SwanLab: one run. */
const LOG_NAME = /\.(?:wandb|swanlab)$/;
const SQLITE_HEAD = 'SQLite format 3\0';
/** How deep folders are searched for logs. */
const MAX_DEPTH = 8;
const MAX_FOUND = 10_000;
const MAX_CONFIG_BYTES = 1024 * 1024;
/** The search ends after this many files and folders. */
const MAX_LOOKED = 200_000;

/**
 * Reads the runs that an experiment tracker left in a file or a folder; null for a file of another kind. Rejects with
 * `import_invalid` for a folder without runs, for another program's database, and for what is no plain file.
 */
export async function readTracked(path: string): Promise<Tracked | null> {
  const tracked = await readRuns(path);
  const [first] = tracked?.skipped ?? [];
  if (tracked?.runs.length === 0 && first)
    throw new PawlError('import_invalid', `${basename(path)} holds no run: ${first.reason}`);
  return tracked;
}

async function readRuns(path: string): Promise<Tracked | null> {
  const found = await stat(path).catch(() => null);
  if (!found) return null;
  if (found.isDirectory()) return readFolder(path);
  const head = await readHead(path);
  if (head.toString('latin1') === SQLITE_HEAD) return readDatabase(path);
  if (isOptunaJournal(head)) return readOptunaJournal(await readPlainFile(path, MAX_FILE_BYTES));
  if (isWandbFile(head) || isSwanlabFile(head)) return readLogs([path]);
  return isEventFileName(basename(path)) ? readEventFolders(path, [[path]]) : null;
}

async function readFolder(folder: string): Promise<Tracked> {
  const mlflow = await findMlflowRuns(folder);
  if (mlflow.length > 0) return readMlflowFolder(mlflow);
  const files = await findFiles(folder, name => LOG_NAME.test(name) || isEventFileName(name));
  const logs = files.filter(file => LOG_NAME.test(file));
  if (logs.length > 0) return readLogs(logs);
  const byFolder = new Map<string, string[]>();
  for (const file of files) {
    const own = file.slice(0, -basename(file).length - 1);
    byFolder.set(own, [...(byFolder.get(own) ?? []), file]);
  }
  if (byFolder.size > 0) return readEventFolders(folder, [...byFolder.values()]);
  throw new PawlError(
    'import_invalid',
    `${folder} cannot be read: it holds no run-*.wandb or run-*.swanlab, no TensorBoard event files and no MLflow meta.yaml.`,
  );
}

async function readDatabase(path: string): Promise<Tracked> {
  return withSqliteCopy(path, database => {
    if (isMlflowDatabase(database)) return readMlflowDatabase(database);
    if (isTrackioDatabase(database)) return readTrackioDatabase(database);
    if (isOptunaDatabase(database)) return readOptunaDatabase(database);
    throw new PawlError('import_invalid', `${basename(path)} is no database of MLflow, trackio or Optuna.`);
  });
}

async function readLogs(paths: readonly string[]): Promise<Tracked> {
  const runs: TrackedRun[] = [];
  const skipped: Skipped[] = tooMany(paths.length);
  const gatherers = new RunGatherers(Math.min(paths.length, MAX_RUNS));
  for (const path of paths.slice(0, MAX_RUNS)) {
    const file = await readBounded(path, skipped);
    const read = file && (await readLog(file, path, gatherers.next()));
    if (!read) {
      if (file)
        skipped.push({
          line: null,
          reason: `${basename(path)} is no log of Weights & Biases, nor one of SwanLab 0.10.`,
        });
      continue;
    }
    tellEnd(basename(path), read.end, skipped);
    if (read.run.startedAt !== null || read.run.points.length > 0) runs.push(read.run);
    else
      skipped.push({
        line: null,
        reason: `${basename(path)} holds nothing but its header, as after a run that was killed before its first block was written.`,
      });
  }
  return { runs: runs.sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)), skipped };
}

async function readLog(file: Buffer, path: string, gatherer: RunGatherer) {
  if (!isSwanlabFile(file)) return readWandbRun(file, basename(path, '.wandb'), gatherer);
  const config = await readPlainFile(join(path, '..', 'files', 'config.yaml'), MAX_CONFIG_BYTES).catch(
    () => null,
  );
  return readSwanlabRun(file, config?.toString('utf8') ?? '', gatherer);
}

/** @param groups the files of each run, oldest first */
async function readEventFolders(top: string, groups: readonly (readonly string[])[]): Promise<Tracked> {
  const runs: TrackedRun[] = [];
  const skipped: Skipped[] = tooMany(groups.length);
  const gatherers = new RunGatherers(Math.min(groups.length, MAX_RUNS));
  for (const paths of groups.slice(0, MAX_RUNS)) {
    const folder = join(paths[0] ?? top, '..');
    const name = relative(top, folder).replaceAll('\\', '/') || basename(folder);
    const { run, end } = await readTensorboardRun(
      readEach(paths, skipped),
      name.startsWith('..') ? basename(folder) : name,
      gatherers.next(),
    );
    tellEnd(name, end, skipped);
    if (run.points.length > 0) runs.push(run);
    else skipped.push({ line: null, reason: `${name} has no numbers.` });
  }
  return { runs: runs.sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)), skipped };
}

/** A run that was cut off is no fault of the file: everything before the cut is complete. */
function tellEnd(name: string, { isCut, broken }: RecordEnd, skipped: Skipped[]): void {
  if (isCut)
    skipped.push({ line: null, reason: `${name} ends in the middle of a record, as after a killed run.` });
  if (broken > 0) skipped.push({ line: null, reason: `${name}: ${broken} broken records were left out.` });
}

function tooMany(count: number): Skipped[] {
  return count > MAX_RUNS
    ? [{ line: null, reason: `only the first ${MAX_RUNS} of ${count} runs were read.` }]
    : [];
}

/** One after another, because a run may have many. */
async function* readEach(paths: readonly string[], skipped: Skipped[]): AsyncGenerator<Buffer> {
  for (const path of paths) {
    const file = await readBounded(path, skipped);
    if (file) yield file;
  }
}

async function readBounded(path: string, skipped: Skipped[]): Promise<Buffer | null> {
  try {
    return await readPlainFile(path, MAX_FILE_BYTES);
  } catch (error) {
    skipped.push({ line: null, reason: (error as Error).message });
    return null;
  }
}

async function readHead(path: string): Promise<Buffer> {
  const { file } = await openPlainFile(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SQLITE_HEAD.length), 0, SQLITE_HEAD.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Files in a folder by their names, in the order of their paths. Does not follow links. */
async function findFiles(folder: string, isWanted: (name: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  let looked = 0;
  const look = async (at: string, depth: number): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      looked += 1;
      if (found.length >= MAX_FOUND || looked > MAX_LOOKED) return;
      const path = join(at, entry.name);
      if (entry.isFile() && isWanted(entry.name)) found.push(path);
      else if (entry.isDirectory() && depth < MAX_DEPTH && !entry.name.startsWith('.'))
        await look(path, depth + 1);
    }
  };
  await look(folder, 0);
  return found;
}
