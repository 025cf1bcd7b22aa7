import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { doctorRows } from '../src/cli/commands/doctor.ts';
import { autoresearchFiles, VALID } from './support/contracts.ts';
import { type Check, examine } from './support/doctor.ts';
import { pawl } from './support/pawl.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  fastRepository,
  git,
  snapshotUserState,
  temporaryFolder,
  writeFiles,
} from './support/scaffold.ts';

test('doctor finds nothing wrong with a good repository, and touches nothing', async () => {
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const home = await temporaryFolder();
  const { code, stdout } = await pawl(['doctor', repository, '--tag', 'night', '--json'], { home });
  const checks = JSON.parse(stdout) as Check[];
  expect(
    checks.filter(({ outcome, name }) => outcome !== 'ok' && name !== 'GPU' && name !== 'sandbox'),
  ).toEqual([]);
  expect(checks.map(check => check.name)).toEqual(
    expect.arrayContaining([
      ...['git', 'repository', 'checkout', 'contract', 'editable files', 'locked files'],
      ...['training command', 'disk space', 'GPU', 'branch'],
    ]),
  );
  expect(checks.find(check => check.name === 'editable files')?.detail).toBe('train.sh');
  expect(checks.find(check => check.name === 'locked files')?.detail).toBe('the other 3 tracked files');
  expect(code).toBe(0);
  expect(await snapshotUserState(repository)).toBe(userState);
  expect(await readdir(home)).toEqual([]);
});

test('doctor prints a line per check, each with its outcome as a word', async () => {
  const repository = await fastRepository();
  await git(repository, 'branch', 'autoresearch/night');
  const { code, stdout } = await pawl(['doctor', repository, '--tag', 'night'], {
    home: await temporaryFolder(),
  });
  expect(code).toBe(2);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter(line => !/^(✓ ok|! warning|✗ failed|– skipped) /.test(line))).toEqual([]);
  expect(lines.at(-1)).toMatch(/^✗ failed +branch +autoresearch\/night exists: choose another --tag/);
});

test('doctor shows a long finding whole, and in a terminal in lines that fit', async () => {
  const names = [...Array(40).keys()].map(n => `part-${n}/with-a-long-name.py`);
  const program = `You may edit:\n\n${names.map(name => `- \`${name}\``).join('\n')}\n\nGet the lowest \`val_bpb\`.\n`;
  const repository = await createRepository({
    ...Object.fromEntries(names.map(name => [name, 'x = 1\n'])),
    'program.md': program,
  });
  const { stdout } = await pawl(['doctor', repository], { home: await temporaryFolder() });
  expect(stdout).toContain(names.join(', '));
  const rows = doctorRows([{ outcome: 'ok', name: 'found: editable', detail: names.join(', ') }], 80);
  const lines = rows.split('\n').map(line => stripVTControlCharacters(line));
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(lines.map(line => line.slice(24).trim()).join('')).toContain('part-39');
});

test('doctor shows a pawl.toml to start from where a repository has none', async () => {
  const repository = await createRepository({ 'src/engine.c': 'int main() {}\n', Makefile: 'bench:\n' });
  const { code, stdout } = await pawl(['doctor', repository], { home: await temporaryFolder() });
  expect(code).toBe(2);
  expect(stdout).toContain(
    'autoresearch: train.py, prepare.py and program.md are missing. Write a pawl.toml',
  );
  expect(stdout).toContain(
    'Or name them with --editable <paths>, --train <command>, --metric <name>, --goal ',
  );
  const example = stdout.slice(stdout.indexOf('\n\n')).trimStart();
  expect(example).toMatch(/^# [^\n]*\bpawl\.toml\b[^\n]*\n\[contract\]\n/);
  await writeFiles(repository, { 'pawl.toml': example });
  await git(repository, 'add', '.');
  await git(repository, 'commit', '--quiet', '--message=contract');
  const { failed, checks } = await examine(repository);
  expect(checks.find(({ name }) => name === 'contract')).toMatchObject({
    outcome: 'ok',
    detail: 'pawl.toml',
  });
  expect(failed).toEqual([]);
});

test('doctor runs the checks it can on a folder that is no repository', async () => {
  const { code, checks, failed } = await examine(await temporaryFolder());
  expect(code).toBe(2);
  expect(failed).toEqual([
    {
      name: 'repository',
      outcome: 'failed',
      detail: expect.stringMatching(/run "git init" there and commit/),
    },
  ]);
  expect(checks.map(check => check.name)).toEqual(
    expect.arrayContaining(['git', 'repository', 'disk space', 'GPU', 'branch']),
  );
  expect(checks.map(check => check.name)).not.toContain('contract');
});

test('doctor says that a folder is not there', async () => {
  const { code, failed } = await examine('/nonexistent/folder');
  expect(code).toBe(2);
  expect(failed.map(check => check.detail)).toEqual(['There is no folder /nonexistent/folder.']);
});

test('doctor asks for a first commit', async () => {
  const repository = await temporaryFolder();
  await git(repository, 'init', '--quiet');
  const { code, failed } = await examine(repository);
  expect(code).toBe(2);
  expect(failed.map(check => check.detail)).toEqual([
    `${repository} has no commit yet: commit your files first.`,
  ]);
});

test.each<{
  title: string;
  files: Record<string, string>;
  env?: Record<string, string>;
  failed: readonly [string, RegExp][];
}>([
  {
    title: 'a contract with an error',
    files: { 'pawl.toml': VALID.replace('"loss"', '3') },
    failed: [['contract', /^pawl\.toml:5: metric\.name: /]],
  },
  {
    title: 'an empty contract',
    files: { 'pawl.toml': '' },
    failed: [['contract', /^pawl\.toml:1: contract: is required/]],
  },
  {
    title: 'an interpreter that is not installed',
    files: { 'pawl.toml': VALID.replace('sh train.sh', 'SEED=1 python9 train.sh') },
    failed: [['training command', /^"python9" was not found\. Install it or correct the command/]],
  },
  {
    title: 'a training script that is not executable',
    files: { 'pawl.toml': VALID.replace('sh train.sh', './train.sh') },
    failed: [['training command', /^"\.\/train\.sh" is not a committed executable/]],
  },
  {
    title: 'a set-up command that is not installed',
    files: { 'pawl.toml': VALID.replace('train =', 'setup = "nomake all"\ntrain =') },
    failed: [['set-up command', /^"nomake" was not found/]],
  },
  {
    title: 'no uv',
    files: { ...autoresearchFiles(''), 'pyproject.toml': '[project]\nname = "x"\n' },
    env: { PATH: '/usr/bin:/bin' },
    failed: [['training command', /^"uv" was not found\. Install uv .*or give another training command as /]],
  },
  {
    title: 'no editable file',
    files: { 'pawl.toml': VALID.replace('"train.sh"', '"model.py", "src/*"') },
    failed: [
      [
        'editable files',
        /^Nothing to edit: model\.py: no committed file matches\. Nothing to edit: src\/\*: no committed file matches\.$/,
      ],
    ],
  },
  {
    title: 'a locked file that is not there',
    files: { 'pawl.toml': VALID.replace('train =', 'locked = ["train.sh", "prepear.py"]\ntrain =') },
    failed: [['locked files', /^Nothing to lock: prepear\.py: no committed file matches\.$/]],
  },
  {
    title: 'instructions that are not there',
    files: { 'pawl.toml': VALID.replace('train =', 'instructions = "programme.md"\ntrain =') },
    failed: [['instructions', /^The instructions programme\.md are not committed/]],
  },
])('doctor names $title and what to do', async ({ files, env, failed }) => {
  const repository = await createRepository({ 'train.sh': FAST_TRAINER, ...files });
  const found = await examine(repository, [], env);
  expect(found.failed.map(check => check.name)).toEqual(failed.map(([name]) => name));
  for (const [index, [, detail]] of failed.entries()) expect(found.failed[index]?.detail).toMatch(detail);
  expect(found.code).toBe(2);
});

test('doctor looks for the data that upstream’s prepare.py downloads', async () => {
  const repository = await createRepository(
    autoresearchFiles(
      'CACHE = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch")\nTIME_BUDGET = 300\n',
    ),
  );
  const user = await temporaryFolder();
  const missing = await examine(repository, [], { HOME: user });
  expect(missing.failed).toEqual([
    {
      name: 'data cache',
      outcome: 'failed',
      detail: expect.stringMatching(/autoresearch is missing: run ".*prepare\.py"/),
    },
  ]);
  await mkdir(join(user, '.cache', 'autoresearch'), { recursive: true });
  const there = await examine(repository, [], { HOME: user });
  expect(there.checks).toContainEqual({
    name: 'data cache',
    outcome: 'ok',
    detail: join(user, '.cache', 'autoresearch'),
  });
});

test('doctor says whether a tag is free, taken or none', async () => {
  const repository = await fastRepository();
  await git(repository, 'branch', 'autoresearch/night');
  const branch = async (...args: string[]) =>
    (await examine(repository, args)).checks.find(check => check.name === 'branch');
  expect(await branch()).toMatchObject({ outcome: 'skipped' });
  expect(await branch('--tag', 'day')).toEqual({
    name: 'branch',
    outcome: 'ok',
    detail: 'autoresearch/day is free',
  });
  expect(await branch('--tag', 'night')).toMatchObject({
    outcome: 'failed',
    detail: expect.stringMatching(
      /^autoresearch\/night exists: choose another --tag, or continue with "pawl resume"/,
    ),
  });
  expect(await branch('--tag', 'no tag')).toMatchObject({ outcome: 'failed' });
});

test('doctor warns of uncommitted changes and of submodules', async () => {
  const repository = await fastRepository();
  await git(
    repository,
    '-c',
    'protocol.file.allow=always',
    'submodule',
    '--quiet',
    'add',
    await fastRepository(),
    'sub',
  );
  await git(repository, 'commit', '--quiet', '--message=sub');
  await writeFiles(repository, { 'README.md': 'changed\n', 'new\nfile.txt': 'x\n' });
  await symlink('/nonexistent', join(repository, 'link'));
  const { code, checks } = await examine(repository);
  expect(code).toBe(0);
  const detail = (name: string) =>
    checks.find(check => check.name === name && check.outcome === 'warning')?.detail;
  expect(detail('checkout')).toMatch(/^3 uncommitted changes: a study starts from the last commit/);
  expect(detail('submodules')).toMatch(/^sub: empty in a study's worktree\..*git submodule update --init/);
});

test('a model that the training may ask and that will be gone is warned of', async () => {
  const repository = await createRepository({
    'train.sh': 'LR=1\n',
    'pawl.toml': `${contractFile()}[model]\nname = "claude-sonnet-4-5"\n`,
  });
  const { checks } = await examine(repository, [], { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: undefined });
  const found = checks.find(({ name }) => name === 'model');
  expect(found?.outcome).toBe('warning');
  expect(found?.detail).toMatch(
    /claude-sonnet-4-5 is retired on November 30th, 2026: choose a newer model\.$/,
  );
});

test.each([
  [
    'a key',
    { ANTHROPIC_API_KEY: 'k' },
    'ok',
    /ask claude-haiku-5-5 at Anthropic's, with the key in ANTHROPIC_API_KEY; for at most \$5/,
  ],
  ['no key', {}, 'failed', /there is no key for it: set ANTHROPIC_API_KEY/],
] as const)('a model that the training may ask is looked for with %s', async (_, env, outcome, detail) => {
  const repository = await createRepository({
    'train.sh': 'LR=1\n',
    'pawl.toml': `${contractFile()}[model]\nname = "claude-haiku-5-5"\n`,
  });
  const none = { ANTHROPIC_API_KEY: undefined, ANTHROPIC_BASE_URL: undefined };
  const { checks } = await examine(repository, [], { ...none, ...env });
  const found = checks.find(({ name }) => name === 'model');
  expect(found?.outcome).toBe(outcome);
  expect(found?.detail).toMatch(detail);
});

test('doctor says that a command leaves the environment in the checkout unused, until it is activated', async () => {
  const repository = await createRepository({
    'train.py': 'print("metric: 1")\n',
    '.gitignore': '.venv\n',
    'pawl.toml': contractFile({ train: 'python3 train.py' }).replace('train.sh', 'train.py'),
  });
  const environment = join(repository, '.venv');
  await mkdir(join(environment, 'bin'), { recursive: true });
  await symlink(process.execPath, join(environment, 'bin', 'python'));
  const commandOf = async (env: Readonly<Record<string, string | undefined>>) => {
    const { checks } = await examine(repository, [], { CONDA_PREFIX: undefined, ...env });
    return checks.find(({ name }) => name === 'training command');
  };
  expect(await commandOf({ VIRTUAL_ENV: undefined })).toMatchObject({
    outcome: 'warning',
    detail: expect.stringContaining(`write ${join(environment, 'bin', 'python')} in place of python3`),
  });
  expect(await commandOf({ VIRTUAL_ENV: environment })).toMatchObject({ outcome: 'ok' });
});

test('doctor refuses a program of the environment in the checkout where no sandbox shows it', async () => {
  const repository = await createRepository({
    'train.py': 'print("metric: 1")\n',
    '.gitignore': '.venv\n',
    'pawl.toml': contractFile({ train: '.venv/bin/python train.py' }).replace('train.sh', 'train.py'),
  });
  await writeFiles(repository, { '.venv/pyvenv.cfg': '' });
  await mkdir(join(repository, '.venv', 'bin'), { recursive: true });
  await symlink(process.execPath, join(repository, '.venv', 'bin', 'python'));
  const { checks } = await examine(repository, [], { PAWL_SANDBOX: 'off' });
  expect(checks.find(({ name }) => name === 'training command')).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('in the sandbox the .venv of your checkout'),
  });
});

test('doctor says that a worktree has no node_modules, unless a set-up makes them or they are committed', async () => {
  const contract = VALID.replace('sh train.sh', 'cd js && node bench.mjs');
  const files = { 'train.sh': '', 'js/bench.mjs': '' };
  const detailOf = async (more: Readonly<Record<string, string>>, pawl = contract) => {
    const found = await examine(await createRepository({ ...files, 'pawl.toml': pawl, ...more }), []);
    return found.checks.find(({ name }) => name === 'node_modules')?.detail;
  };
  const needy = { 'js/package.json': '{"dependencies": {"flatqueue": "3"}}' };
  expect(await detailOf(needy)).toContain('setup = "npm ci"');
  expect(await detailOf({ 'js/package.json': '{"devDependencies": {"eslint": "9"}}' })).toBeUndefined();
  expect(await detailOf({ ...needy, 'js/node_modules/flatqueue/index.js': '' })).toBeUndefined();
  expect(await detailOf(needy, contract.replace('train =', 'setup = "true"\ntrain ='))).toBeUndefined();
});
