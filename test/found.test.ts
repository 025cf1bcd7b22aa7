import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node-pty';
import { expect, onTestFinished, test } from 'vitest';
import { autoresearchFiles } from './support/contracts.ts';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { contractFile, createRepository, FAST_TRAINER, git, temporaryFolder } from './support/scaffold.ts';
import { openDesk } from './support/service.ts';
import { readRows } from './support/study.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const fixture = (path: string) => readFile(new URL(`fixtures/${path}`, import.meta.url), 'utf8');

/** A program that names two numbers, which a training prints both. */
const TORN = {
  ...autoresearchFiles('TIME_BUDGET = 5\n'),
  'train.py': 'LR = 2\nprint("---")\nprint(f"score: {LR}")\nprint(f"sharpe: {LR + 1}")\n',
  'program.md': 'The goal is to get the highest `sharpe`.\n\n    grep "^score:" run.log\n',
};

test('run shows what was found and where before anything runs', async () => {
  const repository = await createRepository(autoresearchFiles('TIME_BUDGET = 7\n'));
  const { code, stdout } = await pawl(['run', repository, '-n', '0'], { home: await temporaryFolder() });
  expect(code).toBe(0);
  const before = stdout.slice(0, stdout.indexOf('Study '));
  expect(before).toMatch(/^Found in .*:\n/);
  for (const line of [
    /editable +train\.py +by its name, as in autoresearch/,
    /command +python3 train\.py +by its name, as in autoresearch/,
    /metric +val_bpb +program\.md:1/,
    /better is +lower +program\.md:1/,
    /budget +7 s +prepare\.py:1/,
  ]) {
    expect(before).toMatch(line);
  }
});

test('with events on stdout what was found is told beside them', async () => {
  const repository = await createRepository(autoresearchFiles('TIME_BUDGET = 7\n'));
  const { events, stderr } = await sitting(['run', repository, '-n', '0'], { home: await temporaryFolder() });
  expect(events.length).toBeGreaterThan(0);
  expect(stderr).toMatch(/^Found in .*\n {2}editable +train\.py/);
});

test('what is unclear ends a run without a terminal, with the options that say it, and nothing is made', async () => {
  const repository = await createRepository(TORN);
  const home = await temporaryFolder();
  const { code, stderr } = await pawl(['run', repository, '-n', '0'], { home });
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /pawl: It is not clear which number counts: sharpe \(program\.md:1\) or score \(program\.md:3\)\..*Nothing was started; say it with --metric <name>/,
  );
  expect(readRows(home)).toBeNull();
  expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  const chosen = await sitting(['run', repository, '-n', '0', '--metric', 'score', '--goal', 'maximize'], {
    home,
  });
  expect(chosen.code).toBe(0);
  expect(eventsOf(chosen.events, 'study_started')[0]).toMatchObject({ metric: 'score', goal: 'maximize' });
});

test('a person at a terminal is asked, and the answer counts', async () => {
  const repository = await createRepository(TORN);
  const home = await temporaryFolder();
  const terminal = spawn(process.execPath, [MAIN, 'run', repository, '-n', '0'], {
    cols: 200,
    rows: 50,
    cwd: home,
    env: { ...process.env, PAWL_HOME: home, NO_COLOR: '1', VITEST: '' },
  });
  onTestFinished(() => {
    try {
      terminal.kill('SIGKILL');
    } catch {
      // It has ended.
    }
  });
  let said = '';
  let isAnswered = false;
  terminal.onData(data => {
    said += data;
    if (isAnswered || !said.includes('[sharpe | score] ')) return;
    isAnswered = true;
    terminal.write('score\r');
  });
  const { exitCode } = await new Promise<{ exitCode: number }>(resolve => terminal.onExit(resolve));
  expect(said).toContain('Which number counts, as it is printed?');
  expect(said).toMatch(/score, higher is better/);
  expect(exitCode).toBe(0);
});

test('doctor lists what was found with where, and what is to be said', async () => {
  const repository = await createRepository(TORN);
  const home = await temporaryFolder();
  const { code, stdout } = await pawl(['doctor', repository, '--json'], { home });
  expect(code).toBe(2);
  const checks = JSON.parse(stdout) as { name: string; outcome: string; detail: string }[];
  expect(checks).toContainEqual({
    name: 'found: editable',
    outcome: 'ok',
    detail: 'train.py (by its name, as in autoresearch)',
  });
  expect(checks).toContainEqual({
    name: 'found: metric',
    outcome: 'failed',
    detail: expect.stringMatching(/sharpe.*score.*Say it with --metric <name>\.$/),
  });
  const chosen = await pawl(['doctor', repository, '--metric', 'score'], { home });
  expect(chosen.code).toBe(0);
  expect(chosen.stdout).toMatch(/✓ ok +found: metric +score \(you said so\)/);
});

test('doctor writes what was found and chosen to pawl.toml, commits nothing and replaces nothing', async () => {
  const repository = await createRepository(TORN);
  const home = await temporaryFolder();
  const args = ['doctor', repository, '--metric', 'score', '--locked', 'prepare.py,program.md', '--save'];
  expect((await pawl(args, { home })).code).toBe(0);
  const file = join(repository, 'pawl.toml');
  expect(await readFile(file, 'utf8')).toMatch(
    /editable = \[ "train\.py" \]\nlocked = \[ "prepare\.py", "program\.md" \]/,
  );
  expect(await git(repository, 'status', '--porcelain')).toBe('?? pawl.toml');
  const again = await pawl(args, { home });
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('is there already');
  await git(repository, 'add', 'pawl.toml');
  await git(repository, 'commit', '--quiet', '--message=contract');
  const { stdout } = await pawl(['doctor', repository], { home });
  expect(stdout).toMatch(/found: metric +score \(pawl\.toml:\d+\)/);
});

test('a training that appends to a tracked log is no tampering', async () => {
  const names = ['train.py', 'prepare.py', 'program.md', 'results.tsv'];
  const files = await Promise.all(names.map(async name => [name, await fixture(`tracked-log/${name}`)]));
  const repository = await createRepository(Object.fromEntries(files));
  const { code, events } = await sitting(['run', repository, '-n', '1'], { home: await temporaryFolder() });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict').map(({ verdict }) => verdict)).not.toContain('crash');
});

const SET_UP = {
  'train.sh': FAST_TRAINER,
  'prepare.sh': 'echo fixed\n',
  'make-data.sh': 'echo data > data.txt\n',
  'pawl.toml': contractFile({ more: 'setup = "sh make-data.sh"' }),
};

test('a set-up command runs only after it was agreed to, once for its content', async () => {
  const repository = await createRepository(SET_UP);
  const home = await temporaryFolder();
  const run = (tag: string, ...more: readonly string[]) =>
    sitting(['run', repository, '-n', '0', '--tag', tag, ...more], { home });
  const refused = await run('one');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^pawl: The set-up command would run as you.*: sh make-data\.sh, which reads make-data\.sh\..*--trust-setup/,
  );
  expect(readRows(home)).toBeNull();
  expect((await run('two', '--trust-setup')).code).toBe(0);
  expect((await run('three')).code).toBe(0);
  // The same words, and another content behind them.
  await writeFile(join(repository, 'make-data.sh'), 'echo other > data.txt\n');
  await git(repository, 'commit', '--quiet', '--all', '--message=other');
  expect((await run('four')).code).toBe(2);
});

test('the window shows the set-up command word for word, and the study starts with its digest', async () => {
  const path = await createRepository(SET_UP);
  const { calls } = await openDesk();
  const command = 'sh make-data.sh';
  const shown = await calls.projects.setUp({ path, command });
  expect(shown).toMatchObject({
    command,
    files: [{ path: 'make-data.sh', text: 'echo data > data.txt\n', isCut: false }],
    isAgreed: false,
  });
  const start = (more: { agreesSetUp?: string }) =>
    calls.studies.start({ path, proposer: { kind: 'search', seed: 1 }, stop: { experiments: 0 }, ...more });
  await expect(start({})).rejects.toMatchObject({ data: { code: 'setup_unagreed' } });
  await expect(start({ agreesSetUp: 'x' })).rejects.toMatchObject({ data: { code: 'setup_unagreed' } });
  await start({ agreesSetUp: shown.digest });
  expect((await calls.projects.setUp({ path, command })).isAgreed).toBe(true);
});

test('the window is given what was found, and the form what is clear of it', async () => {
  const path = await createRepository(TORN);
  const { calls } = await openDesk();
  const found = await calls.projects.inspect({ path });
  expect(found.contract).toBeNull();
  expect(found.draft).toMatchObject({
    editable: ['train.py'],
    train: 'python3 train.py',
    metric: { name: null },
  });
  expect(found.unclear).toMatchObject([{ name: 'metric', candidates: ['sharpe', 'score'] }]);
  expect(found.problem).toContain('sharpe (program.md:1)');
});

test('a study of a folder runs its command there, with the data that its prepare.py names', async () => {
  const repository = await createRepository({
    'app.py': '',
    'research/program.md':
      'Get the lowest `val_bpb`. Run the experiment: `python3 train.py > run.log 2>&1`\n',
    'research/prepare.py': 'CACHE_DIR = "~/.cache/autoresearch-folder"\nTIME_BUDGET = 5\n',
    'research/train.py': 'import prepare\nLR = 2\nprint(f"val_bpb: {LR}")\n',
  });
  const home = await temporaryFolder();
  const env = { HOME: await temporaryFolder() };
  const missing = await pawl(['doctor', repository], { home, env });
  expect(missing.stdout).toMatch(/data cache +.*autoresearch-folder is missing/);
  await mkdir(join(env.HOME, '.cache', 'autoresearch-folder'), { recursive: true });
  const { code, events } = await sitting(['run', repository, '-n', '1'], { home, env });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict')[0]).toMatchObject({ verdict: 'keep', metric: 2 });
  expect(eventsOf(events, 'attempted')[1]?.files).toEqual(['research/train.py']);
  const { stdout } = await pawl(['doctor', repository], { home, env });
  expect(stdout).toMatch(/training command +cd research && python3 train\.py \(.*python3\)/);
  expect(stdout).toMatch(/data cache +.*autoresearch-folder/);
});
