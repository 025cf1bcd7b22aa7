import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readExperiment } from '../src/engine/api/experiment-view.ts';
import { sittingPace } from '../src/engine/api/sitting-pace.ts';
import { readDebrief } from '../src/engine/debrief/read-debrief.ts';
import { readRows, readTrials } from '../src/engine/debrief/read-trials.ts';
import { openDatabase } from '../src/engine/store/database.ts';
import { type Ledger, openLedger } from '../src/engine/store/ledger.ts';
import { MIGRATIONS } from '../src/engine/store/migrations.ts';
import { onSlowStatement, type SlowStatement } from '../src/engine/store/slow-statements.ts';
import type { Mark } from '../src/shared/notebook.ts';
import { SUMMARY, TRAINING } from '../src/shared/proposers/model-calls.ts';
import { crash, discard, keep, openWithStudy, record } from './support/ledger-with-study.ts';
import { plainStudy } from './support/plain-study.ts';
import { temporaryFolder } from './support/scaffold.ts';

const study = plainStudy();

test('a ledger is durable: WAL, synchronous FULL, foreign keys', async () => {
  const database = openDatabase(join(await temporaryFolder(), 'x.sqlite'));
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(database.pragma('synchronous', { simple: true })).toBe(2);
  expect(database.pragma('foreign_keys', { simple: true })).toBe(1);
  database.close();
});

test('a study comes back as it was written', async () => {
  const { ledger, path } = await openWithStudy();
  ledger.close();
  const again = openLedger(path);
  expect(again.studies.get('s1')).toEqual(study);
  again.close();
});

test('migrations are numbered in tens, upwards, and leave the schema at the newest', async () => {
  const versions = MIGRATIONS.map(migration => migration.version);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  expect(versions.every(version => version % 10 === 0)).toBe(true);
  const database = openDatabase(join(await temporaryFolder(), 'x.sqlite'));
  expect(database.pragma('user_version', { simple: true })).toBe(versions.at(-1));
  database.close();
});

test('processes that open a fresh ledger at the same moment all succeed', async () => {
  const module = new URL('../src/engine/store/database.ts', import.meta.url).href;
  // Each says when it is loaded, and opens when all are.
  const code = `import { openDatabase } from '${module}';
    process.stdin.once('data', path => { openDatabase(String(path)).close(); process.exit(); });
    process.stdout.write('ready');`;
  for (let round = 0; round < 4; round += 1) {
    const path = join(await temporaryFolder(), 'pawl.sqlite');
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'ignore'] }),
    );
    await Promise.all(children.map(child => once(child.stdout, 'data')));
    const ends = children.map(child => once(child, 'exit'));
    for (const child of children) child.stdin.write(path);
    expect((await Promise.all(ends)).map(([exitCode]) => exitCode)).toEqual(Array(6).fill(0));
  }
});

test('a migration that fails leaves the file as it was', async () => {
  const path = join(await temporaryFolder(), 'x.sqlite');
  openDatabase(path).close();
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  const broken = { version: newest + 10, sql: 'CREATE TABLE fresh (a); INSERT INTO nowhere VALUES (1);' };
  expect(() => openDatabase(path, [...MIGRATIONS, broken])).toThrow(/nowhere/);
  const database = openDatabase(path);
  expect(database.pragma('user_version', { simple: true })).toBe(newest);
  expect(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'fresh'").get()).toBeUndefined();
  database.close();
});

test('a ledger of a newer Pawl is refused and left alone', async () => {
  const path = join(await temporaryFolder(), 'x.sqlite');
  openDatabase(path).close();
  const database = new BetterSqlite3(path);
  database.pragma('user_version = 99990');
  database.close();
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'ledger_newer' }));
});

test('a file that is no ledger is refused with its name', async () => {
  const path = join(await temporaryFolder(), 'x.sqlite');
  await writeFile(path, 'this is not a database, whatever its name says. '.repeat(50));
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'ledger_damaged' }));
});

test('a write that throws leaves nothing', async () => {
  const { ledger } = await openWithStudy();
  expect(() =>
    ledger.write(() => {
      ledger.experiments.begin('s1', 0, { commit: 'p' }, 1);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(ledger.experiments.lastNumber('s1')).toBeNull();
  ledger.close();
});

test('the keep rate leaves out the baseline', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  record(ledger, 1, 'one', discard(1.1));
  record(ledger, 2, 'two', keep(0.9));
  record(ledger, 3, 'three', crash);
  expect(ledger.experiments.tally('s1', 'minimize')).toEqual({
    ...{
      keep: 2,
      discard: 1,
      crash: 1,
      finished: 4,
      baselineVerdict: 'keep',
      keepRate: 1 / 2,
      baseline: 1,
      best: 0.9,
      bestExperiment: 2,
    },
  });
  expect(ledger.experiments.incumbent('s1')).toEqual({ n: 2, commit: 'c2', metric: 0.9, sourceLines: 10 });
  ledger.close();
});

test('a keep whose branch has not moved is not yet the incumbent', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  record(ledger, 1, 'one', discard(2));
  ledger.write(() => ledger.experiments.decide('s1', 1, keep(0.5), 3));
  expect(ledger.experiments.incumbent('s1')?.n).toBe(0);
  expect(ledger.experiments.unfinished('s1').map(experiment => experiment.n)).toEqual([1]);
  ledger.close();
});

test('words are found in hypotheses, rationales and notes, also unfinished ones and with any punctuation', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Raise MATRIX_LR from 0.04 to 0.08', keep(1));
  record(ledger, 1, 'Narrow the window', discard(2));
  ledger.write(() => ledger.notes.add('s1', 1, 'looks like underfitting', 5));
  const find = (words: string) => ledger.notes.search('s1', words, 10).map(hit => hit.n);
  expect(find('matrix_lr')).toEqual([0]);
  expect(find('windows')).toEqual([1]);
  expect(find('underfit')).toEqual([1]);
  expect([...find('warmup')].sort()).toEqual([0, 1]);
  expect(find('"window" OR NOT (a* NEAR')).toEqual([]);
  expect(find('*** ""')).toEqual([]);
  expect(ledger.notes.search('other', 'window', 10)).toEqual([]);
  ledger.close();
});

test('a crash is found by what it said, and its cell says it', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  record(ledger, 1, 'Wider', crash);
  record(ledger, 2, 'Deeper', discard(2));
  const message = 'RuntimeError: CUDA out of memory. Tried to allocate 24.00 GiB';
  ledger.write(() => {
    for (const n of [1, 2]) {
      ledger.runs.begin('s1', n, { k: 0, commit: `c${n}`, isContained: true, purpose: null }, 1);
      // A crash that was mended is none of its experiment.
      ledger.runs.setCrash('s1', { n, k: 0 }, { class: 'out_of_memory', message, tail: [] });
    }
  });
  const find = (words: string) => ledger.notes.search('s1', words, 10).map(hit => hit.n);
  expect(find('cuda memo')).toEqual([1]);
  expect(find('cuda warmup')).toEqual([]);
  expect(ledger.cells.before('s1', 3, 9).map(cell => cell.crash)).toEqual([null, message, null]);
  ledger.close();
});

test('the pace of a sitting is that of its own experiments, without its pauses', async () => {
  const { ledger } = await openWithStudy();
  const mark = (kind: Mark['kind'], at: number) => ledger.write(() => ledger.marks.add('s1', kind, '', at));
  const ended = (n: number, from: number, to: number) =>
    ledger.write(() => {
      ledger.experiments.begin('s1', n, { commit: 'p' }, from);
      ledger.experiments.decide('s1', n, discard(1), to);
    });
  const pace = (hours?: number) =>
    sittingPace(ledger, { ...study, stop: hours === undefined ? {} : { hours } });
  expect(pace()).toBeNull();
  mark('started', 1_000);
  ended(0, 1_000, 9_000);
  mark('started', 100_000);
  expect(pace(1)).toEqual({ deadline: 3_700_000, experimentMs: null, since: 100_000 });
  // What came before the first of them, a set-up for instance, is no part of any.
  ended(1, 101_000, 103_000);
  mark('paused', 103_000);
  mark('continued', 203_000);
  expect(pace()).toEqual({ deadline: null, experimentMs: 2_000, since: 203_000 });
  ended(2, 203_000, 207_000);
  expect(pace()).toEqual({ deadline: null, experimentMs: 3_000, since: 207_000 });
  ledger.close();
});

test('a word is found at each of its letters while it is typed, whatever its stem', async () => {
  const { ledger } = await openWithStudy();
  const words = ['normalization', 'scaling', 'tuning', 'decaying', 'Éclair', 'densities', 'relational'];
  for (const [n, word] of words.entries()) record(ledger, n, `Try ${word} of the inputs`, discard(n));
  ledger.write(() => ledger.notes.add('s1', 0, 'an oscillating curve', 5));
  const find = (text: string) => ledger.notes.search('s1', text, 10).map(hit => hit.n);
  for (const [n, word] of words.entries()) {
    for (let end = 2; end <= word.length; end += 1) expect(find(word.slice(0, end))).toContain(n);
  }
  expect(find('try scalin')).toEqual([1]);
  expect(find('oscillati')).toEqual([0]);
  expect(find('normali')).toEqual([0]);
  // Both words are whole but for the last, which the ledger knows by its stem too.
  expect(find('inputs normalizations')).toEqual([0]);
  expect(find('scalin try')).toEqual([]);
  ledger.close();
});

test('a ledger of before is found in while a word is typed', async () => {
  const path = join(await temporaryFolder(), 'pawl.sqlite');
  const before = openDatabase(
    path,
    MIGRATIONS.filter(({ version }) => version < 100),
  );
  before.exec(`INSERT INTO study (id, tag, repository_path, git_dir, contract, base_commit, proposer, stop, state,
      created_at, worktree_name) VALUES ('s1', 'night', '', '', '{}', '', '{}', '{}', 'ready', 1, 'w');
    INSERT INTO experiment (study_id, n, phase, hypothesis, started_at) VALUES ('s1', 0, 'recorded', 'Layer normalization', 1);
    INSERT INTO note (experiment_id, at, text) SELECT id, 1, 'an oscillating curve' FROM experiment;`);
  before.close();
  const ledger = openLedger(path);
  expect(ledger.notes.search('s1', 'normali', 10)).toHaveLength(1);
  expect(ledger.notes.search('s1', 'oscillati', 10)).toHaveLength(1);
  ledger.close();
});

test('a statement that holds everything up is told, with its words', async () => {
  let clock = 0;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
  onTestFinished(() => now.mockRestore());
  const told: SlowStatement[] = [];
  onTestFinished(onSlowStatement(slow => told.push(slow)));
  const database = openDatabase(join(await temporaryFolder(), 'x.sqlite'));
  database.function('nap', ms => {
    clock += Number(ms);
    return null;
  });
  const nap = database.prepare('SELECT\n  nap(?)');
  nap.get(19);
  nap.all(20);
  database.close();
  expect(told).toEqual([{ statement: 'SELECT nap(?)', milliseconds: 20 }]);
});

test('names of series are read without unpacking a point, and of chunks from before by unpacking them', async () => {
  const { ledger, path } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  const point = (name: string) => ({ seconds: 1, values: new Map([[name, 2]]) });
  ledger.write(() => {
    const run = ledger.runs.begin('s1', 0, { k: 0, commit: 'c0', purpose: null, isContained: false }, 1);
    ledger.runs.addPoints(run, [point('loss'), point('lr')]);
    ledger.runs.addPoints(run, [point('lr'), point('mfu')]);
    ledger.runs.addTelemetry(run, [point('power')]);
  });
  const database = openDatabase(path);
  // What cannot be unpacked was not.
  database.exec(
    "UPDATE series_chunk SET data = x'00' WHERE position = 1; UPDATE series_chunk SET names = NULL WHERE position = 0;",
  );
  database.close();
  expect(ledger.runs.seriesNames('s1', 0, 0)).toEqual(['loss', 'lr', 'mfu']);
  expect(ledger.runs.telemetryNames('s1', 0, 0)).toEqual(['power']);
  expect(() => ledger.runs.series('s1', 0, 0)).toThrow();
  ledger.close();
});

test('the best and the incumbent are one experiment, also after a keep that only made the code simpler', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  record(ledger, 1, 'Raise the rate', keep(0.5));
  record(ledger, 2, 'Remove the warmup', {
    word: 'keep',
    reason: 'simplified',
    evidence: { run: 0, metric: 0.5 },
  });
  expect(ledger.experiments.incumbent('s1')?.n).toBe(2);
  expect(ledger.experiments.tally('s1', 'minimize')).toMatchObject({ best: 0.5, bestExperiment: 2 });
  // Decided, and the branch has not moved yet.
  record(ledger, 3, 'Lower the rate', discard(2));
  ledger.write(() => ledger.experiments.decide('s1', 3, keep(0.4), 3));
  expect(ledger.experiments.incumbent('s1')?.n).toBe(2);
  expect(ledger.experiments.tally('s1', 'minimize')).toMatchObject({ best: 0.5, bestExperiment: 2, keep: 4 });
  ledger.close();
});

test('a hypothesis that is written anew is found by its new words only', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'alpha', keep(1));
  record(ledger, 0, 'beta', keep(1));
  expect(ledger.notes.search('s1', 'alpha', 10)).toEqual([]);
  expect(ledger.notes.search('s1', 'alp', 10)).toEqual([]);
  expect(ledger.notes.search('s1', 'beta', 10)).toHaveLength(1);
  ledger.close();
});

test('requests are taken once, in order', async () => {
  const { ledger } = await openWithStudy();
  ledger.write(() => {
    ledger.requests.add({ kind: 'pause' }, 1);
    ledger.requests.add({ kind: 'stop_run', n: 7 }, 2);
  });
  expect(ledger.requests.isEmpty()).toBe(false);
  expect(ledger.write(() => ledger.requests.take())).toEqual([{ kind: 'pause' }, { kind: 'stop_run', n: 7 }]);
  expect(ledger.requests.isEmpty()).toBe(true);
  ledger.close();
});

test('what a summary of the debrief cost is no cost of the experiment that was last then', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  ask(ledger, { proposer: 'a model', model: 'proposing', costUsd: 1 });
  ask(ledger, { proposer: TRAINING, model: 'judging', costUsd: 2 });
  ask(ledger, { proposer: SUMMARY, model: 'summing up', costUsd: 4 });
  expect(ledger.tableRows.read('s1', [0])).toMatchObject([{ model: 'proposing', costUsd: 3 }]);
  const imported = { ...study, state: 'imported' } as const;
  const [trial] = await readTrials(ledger, imported, readRows(ledger, 's1'));
  expect(trial?.costUsd).toBe(3);
  const { calls } = await readExperiment(ledger, 's1', 0);
  expect(calls.map(({ model }) => model)).toEqual(['proposing', 'judging']);
  expect(ledger.modelCalls.spend('s1').costUsd).toBe(7);
  expect((await readDebrief(ledger, imported, null, 10)).resources.costUsd).toBe(7);
  ledger.close();
});

/** A call to a model during experiment 0. */
function ask(
  ledger: Ledger,
  call: { readonly proposer: string; readonly model: string; readonly costUsd: number },
): void {
  const { costUsd, ...asked } = call;
  ledger.write(() => {
    const id = ledger.modelCalls.begin('s1', { n: 0, at: 1, reservedUsd: 9, ...asked });
    const tokens = { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 };
    ledger.modelCalls.end(id, {
      ...{ outcome: 'ok', message: null, requestId: null, seconds: 1, tokens, costUsd },
    });
  });
}
