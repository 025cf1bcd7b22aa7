import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createRepository,
  FAST_TRAINER,
  fastRepository,
  git,
  snapshotUserState,
  temporaryFolder,
} from './support/scaffold.ts';
import { collect, type Desk, isTraining, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { checkNight, TAG } from './support/study.ts';
import { GOOD_TURN, proposer, SHELL_FILES } from './support/trainers.ts';
import { gatedDesk, SEARCH } from './support/training-desk.ts';

async function finishedStudy(path?: string): Promise<{ desk: Desk; study: string; path: string }> {
  const desk = await openDesk();
  const repository = path ?? (await fastRepository());
  const { id } = await desk.calls.studies.start({
    ...{ path: repository, tag: TAG, proposer: SEARCH, stop: { experiments: 2 } },
  });
  await untilStopped(desk, id);
  return { desk, study: id, path: repository };
}

/** What the command was asked in its turn. */
async function request(folder: string, turn: number): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, `request-${turn}.json`), 'utf8'));
}

test('steering and new instructions reach the proposer from the next proposal on', async () => {
  const gates = await temporaryFolder();
  const wait = (name: string) =>
    `open('${gates}/at-${name}', 'w')\nwhile not os.path.exists('${gates}/${name}'): time.sleep(0.02)\n${GOOD_TURN}`;
  const path = await createRepository({
    ...SHELL_FILES,
    'pawl.toml': SHELL_FILES['pawl.toml'].replace('[metric]', 'instructions = "program.md"\n[metric]'),
    'program.md': 'Lower it.\n',
  });
  const userState = await snapshotUserState(path);
  const { command, folder } = await proposer(wait('one'), wait('two'), GOOD_TURN);
  const desk = await openDesk();
  const { calls } = desk;
  const { id: study } = await calls.studies.start({
    ...{
      path,
      tag: TAG,
      proposer: { kind: 'command', command, timeoutSeconds: 60 },
      stop: { experiments: 3 },
    },
  });
  await expect.poll(() => request(folder, 0), { interval: 20 }).toBeTruthy();
  expect(await calls.instructions.read({ study })).toMatchObject({
    ...{ path: 'program.md', text: 'Lower it.\n', versions: [{ id: 0, bytes: 10 }] },
  });
  await calls.studies.steer({ study, text: '  Leave the depth alone. ' });
  const saved = await calls.instructions.save({ study, text: 'Lower it €.\n', base: 0 });
  expect(saved).toMatchObject({ text: 'Lower it €.\n', versions: [{ id: 1, bytes: 14 }, { id: 0 }] });
  await writeFile(join(gates, 'one'), '');
  await expect.poll(() => request(folder, 1), { interval: 20 }).toBeTruthy();
  // The second turn began after both were said; an edit on an old version would lose the other's words.
  expect(await refusalOf(calls.instructions.save({ study, text: 'mine', base: 0 }))).toEqual({
    code: 'usage',
    message: expect.stringContaining('version 1'),
  });
  await calls.instructions.save({ study, text: '', base: 1 });
  await writeFile(join(gates, 'two'), '');
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  expect(await request(folder, 0)).toMatchObject({ instructions: 'Lower it.\n', steering: [] });
  const steering = [{ from_experiment: 2, text: 'Leave the depth alone.', at: expect.any(Number) }];
  expect(await request(folder, 1)).toMatchObject({ instructions: 'Lower it €.\n', steering });
  expect(await request(folder, 2)).toMatchObject({ instructions: '', steering });

  const { marks } = await calls.studies.marks({ study });
  expect(marks.map(({ kind, n, text }) => [kind, n, text])).toEqual([
    ['started', 0, 'command'],
    ['steered', 2, 'Leave the depth alone.'],
    ['instructions', 2, 'program.md changed (version 1)'],
    ['instructions', 3, 'program.md changed (version 2)'],
    ['stopped', 4, expect.stringContaining('experiments')],
  ]);
  const text = async (id: number) => (await calls.instructions.version({ study, id })).text;
  expect([await text(0), await text(1), await text(2)]).toEqual(['Lower it.\n', 'Lower it €.\n', '']);
  await expect(text(3)).rejects.toThrow('There is no version 3');
  await desk.close();
  await checkNight({ home: desk.home, repository: path, userState });
});

test('of two who save the same version one is refused', async () => {
  const path = await createRepository({
    ...SHELL_FILES,
    'train.sh': FAST_TRAINER,
    'pawl.toml': SHELL_FILES['pawl.toml'].replace('[metric]', 'instructions = "program.md"\n[metric]'),
    'program.md': 'Lower it.\n',
  });
  const { desk, study } = await finishedStudy(path);
  const results = await Promise.allSettled(
    ['a', 'b', 'c'].map(text => desk.calls.instructions.save({ study, text, base: 0 })),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(await desk.calls.instructions.read({ study })).toMatchObject({ text: 'a' });
});

test('a contract without instructions has none to save', async () => {
  const { desk, study } = await finishedStudy();
  expect(await desk.calls.instructions.read({ study })).toMatchObject({ path: null, text: '' });
  expect(await refusalOf(desk.calls.instructions.save({ study, text: 'x', base: 0 }))).toMatchObject({
    code: 'usage',
  });
});

test('notes and tags stay with their experiment and are found, whatever is in them', async () => {
  const { desk, study } = await finishedStudy();
  const { calls } = desk;
  const hostile = `'; DROP TABLE note; -- <script>alert(1)</script> \u202e "*" NEAR(a b) ${'long '.repeat(3_000)}`;
  await calls.experiments.addNote({ study, n: 1, text: hostile });
  await calls.experiments.addNote({ study, n: 1, text: 'zebra' });
  await calls.experiments.addNote({ study, n: 2, text: 'a \0 in the middle' });
  await calls.experiments.setTags({ study, n: 1, tags: ['b', ' a ', 'b', '"', "'; --"] });
  const { notes, cell } = await calls.experiments.get({ study, n: 1 });
  expect(notes.map(({ text }) => text)).toEqual([hostile.trim(), 'zebra']);
  expect(cell).toMatchObject({ notes: 2, tags: ['b', 'a', '"', "'; --"] });
  expect(desk.events.findLast(event => event.type === 'cell')).toMatchObject({ cell });
  await calls.experiments.setTags({ study, n: 1, tags: [] });
  expect((await calls.experiments.get({ study, n: 1 })).cell.tags).toEqual([]);
  const search = (words: string) => calls.studies.search({ study, words });
  expect(await search('zebra')).toEqual([1]);
  expect(await search('zeb')).toEqual([1]);
  expect(await search('drop table')).toEqual([1]);
  for (const words of ['"', '*', 'NEAR(', 'a OR b"', '', ' ', '()', 'hypothesis:x', "';--", '\0', '😀']) {
    expect(await search(words)).toBeInstanceOf(Array);
  }
  expect((await calls.experiments.get({ study, n: 2 })).notes).toMatchObject([
    { text: 'a \0 in the middle' },
  ]);
});

test('a hostile hypothesis is shown as text, found, and exported without breaking a row', async () => {
  const path = await createRepository(SHELL_FILES);
  const hostile =
    '<img src=x onerror=alert(1)> =1+1 "quoted", comma\\ttab \\x1b[31mred\\x1b[0m\\r\\nsecond\\x00line';
  const { command } = await proposer(
    `edit()\nanswer('${hostile}', rationale='\\x07' + 'why ' * 4000, category='<b>')`,
  );
  const desk = await openDesk();
  const { calls } = desk;
  const { id: study } = await calls.studies.start({
    ...{
      path,
      tag: TAG,
      proposer: { kind: 'command', command, timeoutSeconds: 30 },
      stop: { experiments: 1 },
    },
  });
  await untilStopped(desk, study);
  const { cell, rationale } = await calls.experiments.get({ study, n: 1 });
  expect(cell.hypothesis).toContain('<img src=x onerror=alert(1)> =1+1 "quoted", comma');
  expect(cell.hypothesis).not.toMatch(/[\x00-\x1f]/);
  expect(rationale).not.toMatch(/[\x00-\x08\x0b-\x1f]/);
  expect(await calls.studies.search({ study, words: 'onerror quoted' })).toEqual([1]);
  const rows = async (format: 'csv' | 'tsv') =>
    (await collect(calls.studies.export({ study, format }))).join('').trimEnd().split(/\r?\n/);
  expect(await rows('csv')).toHaveLength(3);
  expect(await rows('tsv')).toHaveLength(3);
  const json = JSON.parse((await collect(calls.studies.export({ study, format: 'json' }))).join(''));
  expect(JSON.stringify(json)).toContain('onerror');
});

test('what is too long, empty or of another kind is refused before anything happens', async () => {
  const { desk, study } = await finishedStudy();
  const { calls } = desk;
  const before = desk.events.length;
  const run = { study, n: 0, k: 0 };
  const bad = (call: Promise<unknown>) => expect(call).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  await bad(calls.experiments.addNote({ study, n: 0, text: '   ' }));
  await bad(calls.experiments.addNote({ study, n: 0, text: 'x'.repeat(20_001) }));
  await bad(calls.experiments.addNote({ study, n: -1, text: 'x' }));
  await bad(calls.experiments.addNote({ study, n: 0.5, text: 'x' }));
  await bad(calls.experiments.addNote({ study, n: '0' as never, text: 'x' }));
  await bad(calls.experiments.addNote({ study, n: 0, text: 'x', more: 1 } as never));
  await bad(calls.experiments.setTags({ study, n: 0, tags: Array(21).fill('x') }));
  await bad(calls.experiments.setTags({ study, n: 0, tags: ['x'.repeat(41)] }));
  await bad(calls.studies.steer({ study, text: 'x'.repeat(4_001) }));
  await bad(calls.studies.cells({ study, before: null, limit: 1_001 }));
  await bad(calls.experiments.log({ ...run, from: -1 }));
  await bad(calls.experiments.searchLog({ ...run, words: '' }));
  await bad(calls.experiments.series({ study, runs: [], source: 'training', by: 'step', width: 9 }));
  await bad(calls.instructions.save({ study, text: 'x'.repeat(1_000_001), base: 0 }));
  await bad(calls.studies.request({ study, kind: 'explode' as never }));
  await bad(calls.app.saveSettings({ theme: 'pink' as never }));
  expect(desk.events.slice(before).filter(event => event.type !== 'telemetry')).toEqual([]);
});

test('the best commit becomes a branch, and nothing else of the repository changes', async () => {
  const path = await fastRepository();
  await git(path, 'branch', 'taken');
  await writeFile(join(path, 'staged.txt'), 'staged');
  await git(path, 'add', 'staged.txt');
  await writeFile(join(path, 'README.md'), 'dirty');
  const { desk, study } = await finishedStudy(path);
  const { calls } = desk;
  const before = await snapshotUserState(path);
  const refs = () => git(path, 'for-each-ref', '--format=%(refname) %(objectname)');
  const refsBefore = await refs();
  const best = desk.service.ledger.experiments.incumbent(study);
  expect(await calls.studies.applyBest({ study, branch: ' feature/best ' })).toEqual({
    ...{ commit: best?.commit, n: best?.n },
  });
  expect((await refs()).split('\n').filter(ref => !refsBefore.split('\n').includes(ref))).toEqual([
    `refs/heads/feature/best ${best?.commit}`,
  ]);
  await git(path, 'update-ref', '-d', 'refs/heads/feature/best');
  expect(await snapshotUserState(path)).toBe(before);
  const { marks } = await calls.studies.marks({ study });
  expect(marks.at(-1)).toMatchObject({
    ...{ kind: 'applied', n: 3, text: `feature/best made at #${best?.n} (${best?.commit.slice(0, 7)})` },
  });

  const refsAfter = await refs();
  const refused = async (branch: string) =>
    (await refusalOf(calls.studies.applyBest({ study, branch }))).code;
  expect(await refused('taken')).toBe('usage');
  expect(await refused('main')).toBe('usage');
  for (const name of [
    ...[
      'a..b',
      'a b',
      '-f',
      '--',
      '@',
      '@{-1}',
      '@{upstream}',
      'a.lock',
      '/a',
      'a/',
      'a//b',
      '.a',
      'a~1',
      'a^',
    ],
    ...['a:b', 'a?', 'a*', 'a[', 'a\\b', 'HEAD', 'a\nb', 'a\0b', 'a\x07'],
  ]) {
    expect([name, await refused(name)]).toEqual([name, 'usage']);
  }
  // A folder cannot stand where a branch is, nor a branch where a folder is.
  expect(await refused('main/best')).toBe('usage');
  expect(await refused('autoresearch')).toBe('usage');
  expect(await refs()).toBe(refsAfter);
  expect(await snapshotUserState(path)).toBe(before);
  expect((await calls.studies.marks({ study })).marks).toHaveLength(marks.length);
});

test('a study without a baseline has no best commit', async () => {
  const { desk, study } = await gatedDesk();
  const applied = refusalOf(desk.calls.studies.applyBest({ study, branch: 'best' }));
  expect(await applied).toMatchObject({ code: 'usage' });
  // While it runs, too, it is the best so far that is taken.
  await desk.waitFor(isTraining(1));
  expect(await desk.calls.studies.applyBest({ study, branch: 'best' })).toMatchObject({ n: 0 });
  expect(await refusalOf(desk.calls.studies.applyBest({ study: 'none', branch: 'best' }))).toMatchObject({
    code: 'usage',
  });
});
