import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findEditor } from '../src/engine/editor/find-editor.ts';
import { openExperiment } from '../src/engine/editor/open-experiment.ts';
import { dataPaths, runLog } from '../src/engine/paths.ts';
import { keptNight, set } from './support/kept-night.ts';
import { git, snapshotUserState, temporaryFolder } from './support/scaffold.ts';
import { openDesk, refusalOf } from './support/service.ts';

const NIGHT = [
  { edit: set('LR', 2), metric: 0.9 },
  { edit: set('DEPTH', 2), metric: 0.8, verdict: 'rolled_back' },
  { edit: set('WIDTH', 2), metric: 0.7, rationale: 'See @someone' },
  { edit: set('BETA', 2), metric: 0.95, verdict: 'discard' },
] as const;

/** A folder with programs that write their arguments into a file beside them, one a line. */
async function programs(...names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    const path = join(folder, name);
    // Whole or not at all, for who waits for it.
    await writeFile(
      path,
      `#!/bin/sh\nprintf '%s\\n' "$@" > '${path}.new'\nmv '${path}.new' '${path}.args'\n`,
    );
    await chmod(path, 0o755);
  }
  return folder;
}

async function argumentsOf(program: string): Promise<readonly string[]> {
  await expect
    .poll(() =>
      stat(`${program}.args`).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  return (await readFile(`${program}.args`, 'utf8')).trimEnd().split('\n');
}

test('the lineage of an experiment is what it was built on, the first one first', async () => {
  const { home, ledger, commits } = await keptNight(NIGHT);
  const { calls } = await openDesk({ home });
  const lineage = async (n: number) =>
    (await calls.experiments.get({ study: 's1', n })).lineage.map(({ n: ancestor, metric, standing }) => [
      ...[ancestor, metric, standing],
    ]);
  expect(await lineage(0)).toEqual([]);
  expect(await lineage(1)).toEqual([[0, 1, 'kept']]);
  expect(await lineage(4)).toEqual([
    [0, 1, 'kept'],
    [1, 0.9, 'kept'],
    [3, 0.7, 'kept'],
  ]);
  // Built on what was taken back later.
  ledger.write(() => ledger.experiments.begin('s1', 5, { commit: commits[2] ?? '' }, 1));
  expect(await lineage(5)).toEqual([
    [0, 1, 'kept'],
    [1, 0.9, 'kept'],
    [2, 0.8, 'taken_back'],
  ]);
});

test('an experiment is copied as Markdown with its diff, and without paths of this machine', async () => {
  const { home, repository } = await keptNight([
    ...NIGHT.slice(0, 3),
    { edit: set('BETA', 2), metric: 0.5, hypothesis: 'Read it', rationale: 'x' },
  ]);
  const { calls } = await openDesk({ home });
  const { text } = await calls.experiments.markdown({ study: 's1', n: 3 });
  expect(text).toContain('# #\u200b3 Idea 3');
  expect(text).toContain('@\u200bsomeone');
  expect(text).toContain('| Verdict | keep (better) |');
  expect(text).toContain('| Difference | −0.200000 to #\u200b1 (0.900000) |');
  expect(text).toContain('+WIDTH = 2');
  expect(text).not.toContain(repository);
  expect(await refusalOf(calls.experiments.markdown({ study: 's1', n: 9 }))).toMatchObject({
    code: 'experiment_not_found',
  });
});

test('the editor of the settings comes first, then one with a window that the environment names, then one that is there', async () => {
  const PATH = await programs('subl', 'code', 'vim', 'mine');
  const find = async (environment: NodeJS.ProcessEnv, configured?: readonly string[]) => {
    const found = await findEditor({ PATH, DISPLAY: ':0', ...environment }, configured);
    return [basename(found.program), ...found.arguments, found.takes];
  };
  expect(await find({ VISUAL: 'subl -w' }, ['mine', '-a b'])).toEqual(['mine', '-a b', 'folder']);
  expect(await find({ VISUAL: 'vim', EDITOR: 'subl -w' })).toEqual(['subl', '-w', 'both']);
  expect(await find({ EDITOR: 'vim' })).toEqual(['code', 'both']);
  const message = (call: Promise<unknown>) =>
    call.then(
      () => '',
      (error: Error) => error.message,
    );
  expect(await message(find({ DISPLAY: '' }))).toContain('there is no screen');
  expect(await message(find({}, ['gone']))).toContain('The editor gone of your settings.toml was not found.');
  expect(await message(find({ PATH: await programs('vim') }))).toContain('editor = ["code"]');
});

test('the editor gets a copy to read, by its arguments and not through a shell, and the checkout is as it was', async () => {
  const { home, repository, study, ports } = await keptNight(NIGHT, { 'other.py': 'x\n' });
  const before = [await snapshotUserState(repository), await git(repository, 'status', '--porcelain')];
  const PATH = `${await programs('code')}:${process.env.PATH}`;
  const environment = { ...process.env, PATH, DISPLAY: ':0', GIT_DIR: '/nowhere' };
  const { editor, folder } = await openExperiment({ ...ports, environment }, study, 3);
  expect(editor).toBe('code');
  expect(await argumentsOf(join(PATH.split(':')[0] ?? '', 'code'))).toEqual([
    folder,
    join(folder, 'train.py'),
  ]);
  expect(await readFile(join(folder, 'train.py'), 'utf8')).toContain('LR = 2\nDEPTH = 1\nWIDTH = 2\n');
  expect((await stat(join(folder, 'train.py'))).mode & 0o777).toBe(0o400);
  expect(dirname(dirname(folder))).toBe(dataPaths({ PAWL_HOME: home }).scratch);
  expect([await snapshotUserState(repository), await git(repository, 'status', '--porcelain')]).toEqual(
    before,
  );

  await writeFile(join(home, 'settings.toml'), 'editor = ["mine", "$(touch x); -n"]\n');
  const mine = await programs('mine');
  await openExperiment({ ...ports, environment: { ...environment, PATH: `${mine}:${PATH}` } }, study, 1);
  expect(await argumentsOf(join(mine, 'mine'))).toEqual([
    '$(touch x); -n',
    expect.stringMatching(/\/night-1$/),
  ]);
});

test('where a log lies is told, and shown where the host can', async () => {
  const { home, ledger } = await keptNight(NIGHT);
  const desk = await openDesk({ home });
  const reveal = (what: 'log' | 'folder', n = 1) => desk.calls.experiments.reveal({ study: 's1', n, what });
  expect(await refusalOf(reveal('log'))).toMatchObject({ code: 'experiment_not_found' });
  const log = runLog(dataPaths({ PAWL_HOME: home }), 's1', 1, 0);
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, 'x\n');
  ledger.write(() => ledger.runs.begin('s1', 1, { k: 0, commit: 'c', purpose: null, isContained: true }, 1));
  expect(await reveal('log')).toEqual({ path: log, isShown: false });
  expect(await reveal('folder')).toEqual({ path: dirname(log), isShown: false });
  const shown: string[] = [];
  Object.assign(desk.service.options.host, { showItem: (path: string) => shown.push(path) });
  expect(await reveal('log')).toEqual({ path: log, isShown: true });
  expect(shown).toEqual([log]);
});
