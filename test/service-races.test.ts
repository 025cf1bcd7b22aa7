import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { gatedNight } from './support/gated-night.ts';
import { fastRepository, git, temporaryFolder } from './support/scaffold.ts';
import { collect, eventsOfType, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { checkNight, prepareNight, readRows, rowsOf, TAG } from './support/study.ts';
import { tableDesk } from './support/table-desk.ts';
import { UPSTREAM } from './support/tables.ts';
import { proposer } from './support/trainers.ts';
import { SEARCH, startSearch, trainingDesk } from './support/training-desk.ts';
import { TestWindow } from './support/window.ts';

test('of two studies started at once one runs and nothing is left of the other', async () => {
  const desk = await openDesk();
  const path = await fastRepository();
  const window = await TestWindow.open(desk.calls, null);
  const results = await Promise.allSettled(
    ['one', 'two'].map(tag =>
      desk.calls.studies.start({ path, tag, proposer: SEARCH, stop: { experiments: 1 } }),
    ),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  const { id } = (results[0] as PromiseFulfilledResult<{ id: string }>).value;
  expect(await untilStopped(desk, id)).toMatchObject({ tag: 'one', stopReason: 'experiments' });
  expect(readRows(desk.home, 'two')).toBeNull();
  expect(await git(path, 'for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/pawl/two')).toBe(
    'refs/heads/autoresearch/one\nrefs/heads/main',
  );
  await window.reach(desk.service.hub.seq);
  expect(window.picture().studies).toEqual((await desk.calls.app.snapshot()).studies);
});

test('a study is starting from the call on until its sitting says that it begins', async () => {
  const desk = await openDesk();
  const path = await fastRepository();
  const card = await desk.calls.studies.start({
    ...{ path, tag: TAG, proposer: SEARCH, stop: { experiments: 1 } },
  });
  const told = () =>
    eventsOfType(desk.events, 'study').map(({ card: { state, isStarting } }) => `${state} ${isStarting}`);
  expect(card).toMatchObject({ state: 'ready', isStarting: true });
  expect(told().at(-1)).toBe('ready true');
  await untilStopped(desk, card.id);
  expect(told().filter(words => words.endsWith('true'))).toEqual(['ready true']);
  const from = desk.events.length;
  await desk.calls.studies.resume({ study: card.id, stop: { experiments: 1 } });
  expect(desk.service.card(card.id)).toMatchObject({ state: 'stopped', isStarting: true });
  expect(await untilStopped(desk, card.id)).toMatchObject({ isStarting: false });
  // What cannot begin is not starting any more either.
  await rename(path, `${path}-moved`);
  await desk.calls.studies.resume({ study: card.id });
  expect(await untilStopped(desk, card.id)).toMatchObject({ isStarting: false, stopReason: 'error' });
  expect(desk.events.length).toBeGreaterThan(from);
});

test('a resume says at once what is wrong with the user’s settings', async () => {
  const desk = await openDesk();
  const path = await fastRepository();
  const stop = { experiments: 1 };
  const { id } = await desk.calls.studies.start({ path, tag: TAG, proposer: SEARCH, stop });
  await untilStopped(desk, id);
  await writeFile(join(desk.home, 'settings.toml'), 'hooks = 1\n');
  expect(await refusalOf(desk.calls.studies.resume({ study: id }))).toMatchObject({
    code: 'settings_invalid',
  });
  expect(desk.service.card(id)).toMatchObject({ state: 'stopped', isStarting: false });
});

test('a start and a resume at once give one sitting', async () => {
  const { night, desk, study: id } = await trainingDesk();
  const { repository: path } = night;
  await desk.calls.studies.request({ study: id, kind: 'stop_now' });
  await untilStopped(desk, id);
  const started = desk.calls.studies.start({ path, tag: 'other', proposer: SEARCH, stop: {} });
  expect(await refusalOf(desk.calls.studies.resume({ study: id }))).toMatchObject({ code: 'engine_running' });
  const other = await started;
  expect(desk.service.running()?.id).toBe(other.id);
  expect(desk.service.card(id).state).toBe('stopped');
});

test('closing while a study is being started ends it cleanly', async () => {
  const night = await gatedNight();
  const desk = await openDesk({ home: night.home, environment: night.env });
  const started = desk.service.start({
    ...{ repositoryPath: night.repository, tag: TAG, proposer: SEARCH, stop: { experiments: 1 } },
  });
  await desk.close();
  const { id: study } = await started;
  expect(rowsOf(night.home)).toMatchObject({ state: 'stopped', stopReason: 'user' });
  await writeFile(night.gate, '');
  const again = await openDesk({ home: night.home, environment: night.env });
  await again.calls.studies.resume({ study });
  expect(await untilStopped(again, study)).toMatchObject({ stopReason: 'experiments' });
  await again.close();
  await checkNight(night);
});

test('a study that could not be started can be started again', async () => {
  const desk = await openDesk();
  const path = await fastRepository();
  const start = (tag: string) =>
    desk.calls.studies.start({ path, tag, proposer: SEARCH, stop: { experiments: 0 } });
  expect(await refusalOf(start('no tag'))).toMatchObject({ code: 'usage' });
  const { id } = await start('night');
  await untilStopped(desk, id);
  expect(await refusalOf(start('night'))).toMatchObject({ code: 'branch_exists' });
  expect(desk.service.running()).toBeNull();
  expect(desk.service.ledger.studies.list()).toHaveLength(1);
});

test('a repository that disappears stops its study with an error, and its cells stay readable', async () => {
  const { night, desk, study } = await trainingDesk(9);
  const { repository: path } = night;
  await rename(path, `${path}-moved`);
  await writeFile(night.gate, '');
  const card = await untilStopped(desk, study);
  expect(card).toMatchObject({ state: 'stopped', stopReason: 'error' });
  expect(card.stopDetail).not.toBe('');
  expect(eventsOfType(desk.events, 'notice').at(-1)?.notice.kind).toBe('attention');
  desk.errors.length = 0;

  const { calls } = desk;
  expect(await calls.experiments.get({ study, n: 1 })).toMatchObject({ files: [], cell: { n: 1 } });
  expect((await calls.experiments.log({ study, n: 0, k: 0, from: null })).lines).not.toEqual([]);
  expect(await refusalOf(calls.experiments.diff({ study, n: 1 }))).toMatchObject({
    code: 'not_a_repository',
  });
  expect(await refusalOf(calls.studies.applyBest({ study, branch: 'best' }))).toMatchObject({
    code: 'not_a_repository',
  });
  expect(await refusalOf(calls.projects.inspect({ path }))).toMatchObject({ code: 'not_a_repository' });
  await calls.studies.resume({ study });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'error' });
  expect(desk.service.card(study).stopDetail).toContain('If it was moved');
  // Told where it is, it goes on.
  const repository = `${path}-moved`;
  await calls.studies.resume({ study, stop: { experiments: 2 }, repository });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  expect(desk.service.card(study).repositoryPath).toBe(repository);
  await desk.close();
  await checkNight({ ...night, repository });
});

test('an experiment that is dropped before it had a proposal goes from every window', async () => {
  const folder = await temporaryFolder();
  const { command } = await proposer(`open(${JSON.stringify(join(folder, 'here'))}, 'w')\nsignal.pause()`);
  const night = await prepareNight();
  const desk = await openDesk({ home: night.home });
  const { id: study } = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG, stop: {} },
    proposer: { kind: 'command', command, timeoutSeconds: 60 },
  });
  await desk.waitFor(event => event.type === 'cell' && event.cell.n === 1);
  const window = await TestWindow.open(desk.calls, study);
  expect(window.picture().cells).toHaveLength(2);
  await desk.calls.experiments.addNote({ study, n: 1, text: 'what will it be?' });
  await desk.calls.experiments.setTags({ study, n: 1, tags: ['early'] });
  await desk.calls.studies.request({ study, kind: 'stop_now' });
  await untilStopped(desk, study);
  await window.reach(desk.service.hub.seq);
  const fresh = await TestWindow.open(desk.calls, study);
  expect(window.picture()).toEqual(fresh.picture());
  expect(fresh.picture().cells).toHaveLength(1);
  for (const call of [
    desk.calls.experiments.get({ study, n: 1 }),
    desk.calls.experiments.addNote({ study, n: 1, text: 'gone' }),
    desk.calls.experiments.diff({ study, n: 0, against: 1 }),
  ]) {
    expect(await refusalOf(call)).toMatchObject({ code: 'experiment_not_found' });
  }
  await desk.close();
  await checkNight(night);
});

test('a write waits for another process that holds the ledger', async () => {
  const desk = await openDesk();
  const path = await fastRepository();
  const study = await startSearch(desk, path, { experiments: 0 });
  await untilStopped(desk, study);
  const holder = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const database = new (require('better-sqlite3'))(workerData);
     database.exec('BEGIN IMMEDIATE');
     parentPort.postMessage('held');
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
     database.exec('COMMIT');`,
    { eval: true, workerData: join(desk.home, 'pawl.sqlite') },
  );
  await new Promise(resolve => holder.once('message', resolve));
  // Held until this process, which waits for the lock in the meantime, has it.
  await desk.calls.experiments.addNote({ study, n: 0, text: 'late' });
  expect((await desk.calls.experiments.get({ study, n: 0 })).notes).toMatchObject([{ text: 'late' }]);
  await holder.terminate();
});

test('an imported study can be read, searched, noted on and exported, and nothing else', async () => {
  const table = await tableDesk();
  expect((await table.import('results.tsv', UPSTREAM)).code).toBe(0);
  const desk = await openDesk({ home: table.home });
  const { calls } = desk;
  const [card] = (await calls.app.snapshot()).studies;
  const study = card?.id ?? '';
  expect(card).toMatchObject({
    ...{ state: 'imported', branch: null, importedFrom: 'results.tsv', cells: 4, current: null },
    tally: { finished: 4, keep: 2, discard: 1, crash: 1 },
  });
  const window = await TestWindow.open(calls, study, 2);
  expect(window.picture().cells).toHaveLength(4);
  expect(await calls.experiments.get({ study, n: 1 })).toMatchObject({
    ...{ runs: [], files: [], parentCommit: null },
    cell: { metric: 0.9932, verdict: { word: 'keep', reason: 'imported' } },
    imported: expect.arrayContaining([{ name: 'description', value: 'increase LR to 0.04' }]),
  });
  expect(await calls.studies.search({ study, words: 'gelu' })).toEqual([2]);
  expect(await calls.studies.marks({ study })).toEqual({ marks: [], refusals: [] });
  expect(
    await calls.experiments.series({ study, runs: [{ n: 1 }], source: 'training', by: 'step', width: 10 }),
  ).toEqual([]);
  expect(await calls.experiments.sparklines({ study, ns: [0, 1, 2, 3], width: 10 })).toEqual([]);
  expect(await calls.instructions.read({ study })).toMatchObject({ text: '', versions: [{ id: 0 }] });
  for (const format of ['json', 'csv', 'tsv'] as const) {
    expect((await collect(calls.studies.export({ study, format }))).join('')).toContain('GeLU');
  }
  await calls.experiments.addNote({ study, n: 2, text: 'odd one' });
  await calls.experiments.setTags({ study, n: 2, tags: ['old'] });
  await window.reach(desk.service.hub.seq);
  expect(window.picture()).toEqual((await TestWindow.open(calls, study)).picture());
  const refused = async (call: Promise<unknown>) => (await refusalOf(call)).code;
  expect(await refused(calls.studies.resume({ study }))).toBe('study_read_only');
  expect(await refused(calls.studies.applyBest({ study, branch: 'best' }))).toBe('usage');
  expect(await refused(calls.instructions.save({ study, text: 'x', base: 0 }))).toBe('study_read_only');
  expect(await refused(calls.studies.steer({ study, text: 'x' }))).toBe('study_read_only');
  expect(await refused(calls.studies.request({ study, kind: 'stop' }))).toBe('usage');
  expect(await refused(calls.experiments.diff({ study, n: 1 }))).toBe('experiment_not_found');
  expect(await refused(calls.experiments.log({ study, n: 1, k: 0, from: null }))).toBe(
    'experiment_not_found',
  );
  expect(await refused(collect(calls.experiments.output({ study, n: 1, k: 0 })))).toBe(
    'experiment_not_found',
  );
  expect(desk.service.running()).toBeNull();
});

test('calls on a study that is not there are refused or empty', async () => {
  const { calls } = await openDesk();
  const study = 'none';
  const run = { study, n: 0, k: 0 };
  const missing = async (call: Promise<unknown>) =>
    expect((await refusalOf(call)).code).toBe('study_not_found');
  await missing(calls.experiments.get({ study, n: 0 }));
  await missing(calls.experiments.diff({ study, n: 0 }));
  await missing(calls.experiments.log({ ...run, from: 0 }));
  await missing(calls.experiments.searchLog({ ...run, words: 'x' }));
  await missing(collect(calls.experiments.output(run)));
  await missing(calls.experiments.addNote({ study, n: 0, text: 'x' }));
  await missing(calls.experiments.setTags({ study, n: 0, tags: [] }));
  await missing(calls.studies.steer({ study, text: 'x' }));
  await missing(calls.studies.resume({ study }));
  await missing(collect(calls.studies.export({ study, format: 'json' })));
  await missing(calls.instructions.read({ study }));
  await missing(calls.instructions.save({ study, text: '', base: 0 }));
  expect(await calls.studies.cells({ study, before: null, limit: 10 })).toEqual([]);
  expect(await calls.studies.search({ study, words: 'x' })).toEqual([]);
  expect((await refusalOf(calls.studies.applyBest({ study, branch: 'x' }))).code).toBe('usage');
});
