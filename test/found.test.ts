import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node-pty';
import { expect, onTestFinished, test } from 'vitest';
import { findingsText } from '../src/cli/found.ts';
import { setUpText } from '../src/cli/look-first.ts';
import { openRepository } from '../src/engine/git/repository.ts';
import { readSetUp } from '../src/engine/stages/set-up/set-up-consent.ts';
import { autoresearchFiles } from './support/contracts.ts';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { PAWL_MAIN } from './support/pawl-command.ts';
import { contractFile, createRepository, FAST_TRAINER, git, temporaryFolder } from './support/scaffold.ts';
import { openDesk } from './support/service.ts';
import { readRows } from './support/study.ts';

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
    /pawl: It is not clear which number counts: sharpe \(program\.md:1\) or score \(program\.md:3\)\..*Nothing was started; give it with --metric <name>/,
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
  const terminal = spawn(process.execPath, [PAWL_MAIN, 'run', repository, '-n', '0'], {
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
    detail: expect.stringMatching(/sharpe.*score.*Give it with --metric <name>\.$/),
  });
  const chosen = await pawl(['doctor', repository, '--metric', 'score'], { home });
  expect(chosen.code).toBe(0);
  expect(chosen.stdout).toMatch(/✓ ok +found: metric +score \(your choice\)/);
});

test('a metric whose name has a slash is no path, unless a repository is there', async () => {
  const repository = await createRepository(TORN);
  const home = await temporaryFolder();
  const named = await pawl(['doctor', '--metric', 'eval/loss'], { home, cwd: repository });
  expect(named.stdout).toMatch(/found: metric +eval\/loss \(your choice\)/);
  await mkdir(join(repository, 'eval', 'loss'), { recursive: true });
  const folder = await pawl(['doctor', '--metric', 'eval/loss'], { home, cwd: repository });
  expect(folder.stdout).toMatch(/found: metric .*Give it with --metric <name>\./s);
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
  expect(again.stderr).toContain('already exists');
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

test.each([
  ['a folder that is gone to', 'cd sub && bash setup.sh', ['sub/setup.sh']],
  ['a folder that is gone to and left', '(cd sub; make) && bash setup.sh', ['sub/Makefile', 'setup.sh']],
  ['a way back', 'cd sub && bash ../setup.sh', ['setup.sh']],
  ['a folder that is an option', 'make -C sub', ['sub/Makefile']],
  ['a module', 'python3 -m tools.setup', ['tools/__init__.py', 'tools/setup.py']],
  ['a package in a folder', 'pip install -e ./tools', ['tools/setup.py']],
  ['a link', 'sh linked.sh', ['linked.sh', 'sub/setup.sh']],
  ['a linked folder', 'cd folder; sh setup.sh', ['folder', 'sub/setup.sh']],
  ['a link that leads out', 'sh away.sh', ['away.sh']],
  ['a word that is a file nowhere', 'constructor $X/none.sh', []],
])('of a set-up command %s is followed', async (_, command, paths) => {
  const repository = await createRepository({
    ...{ 'setup.sh': 'top\n', Makefile: 'all:\n', 'sub/setup.sh': 'below\n', 'sub/Makefile': 'all:\n' },
    ...{ 'tools/__init__.py': '', 'tools/setup.py': 'x = 1\n' },
  });
  await symlink('sub/setup.sh', join(repository, 'linked.sh'));
  await symlink('./sub', join(repository, 'folder'));
  await symlink('../../away.sh', join(repository, 'away.sh'));
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '--message=links');
  const { files } = await readSetUp(await openRepository(repository), 'HEAD', command);
  expect(files.map(({ path }) => path)).toEqual(paths);
});

test('a set-up is another one as soon as anything but what experiments change is', async () => {
  const many = Array.from({ length: 30 }, (_, index) => `part${index}.sh`);
  const path = await createRepository({
    ...SET_UP,
    ...Object.fromEntries(many.map(name => [name, 'true\n'])),
    'lib/called.sh': 'true\n',
    'pawl.toml': contractFile().replace(
      '["train.sh"]',
      '["train.sh", "extra.sh", "other.sh", "lib/data.py"]',
    ),
    'extra.sh': 'true\n',
    'other.sh': 'true\n',
    'lib/data.py': 'true\n',
    'make-data.sh': '. ./other.sh\npython3 -c "import lib.data"\n',
  });
  const repository = await openRepository(path);
  const short = 'sh make-data.sh && cat extra.sh';
  const long = `sh make-data.sh && cat ${many.join(' ')}`;
  const read = (command: string) => readSetUp(repository, 'HEAD', command);
  expect((await read(long)).files.at(-1)).toMatchObject({ path: 'and 11 more files', isCut: true });
  let last = [await read(short), await read(long)];
  for (const [name, isOther] of [
    ['train.sh', false],
    ['lib/called.sh', true],
    ['part29.sh', true],
    ['extra.sh', true],
    ['other.sh', true],
    ['lib/data.py', true],
  ] as const) {
    await writeFile(join(path, name), 'changed\n');
    await git(path, 'commit', '--quiet', '--all', '--message=change');
    const next = [await read(short), await read(long)];
    const areOther = next.map(({ digest }, index) => digest !== last[index]?.digest);
    // What is not shown whole may speak of anything.
    expect([name, ...areOther]).toEqual([name, isOther, true]);
    last = next;
  }
});

test('a set-up is shown to its end, line by line, with what hides in it', () => {
  const text = setUpText({
    command: `# harmless\nsh a.sh${' '.repeat(5_000)}; sh end.sh \u202e\u001b[2K`,
    files: [{ path: 'a\u001b.sh', text: 'one\r\n\ttwo\n', isCut: false }],
    digest: '',
  });
  expect(text.replace(/ {5000}/, ' … ').split('\n')).toEqual([
    'Before the first run, this runs as you, outside the sandbox:',
    '  | # harmless',
    '  | sh a.sh … ; sh end.sh \\u{202e}\\u{1b}[2K',
    '--- a\\u{1b}.sh',
    '  | one\\u{d}',
    '  | \ttwo',
  ]);
});

test('a command that was found is shown to its end', () => {
  const value = `python3 train.py ${'--x '.repeat(60)}; sh end.sh\nsh more.sh`;
  const lines = findingsText([
    { name: 'train', value, source: 'program.md:1' },
    { name: 'rules', value: 'x'.repeat(400), source: 'program.md:2' },
  ]).split('\n');
  expect(lines[0]).toMatch(/^ {2}command +python3 train\.py .* program\.md:1$/);
  expect(lines.slice(1, 4).join('\n')).toMatch(/; sh end\.sh\n +sh more\.sh$/m);
  expect(lines).toHaveLength(5);
  expect(lines[4]).toMatch(/x… +program\.md:2$/);
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
