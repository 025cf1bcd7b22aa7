import { chmod, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sitting } from '../../support/pawl.ts';
import { expectRefusal } from '../../support/refusal.ts';
import {
  CONSTANTS,
  CONSTANTS_TRAINER,
  changedLines,
  constantsRepository,
  findWorktree,
  proposing,
  raiseRate,
  readCommitted,
  runStudy,
  userWithGitConfig,
} from '../../support/repositories.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  fastRepository,
  git,
  snapshotUserState,
  temporaryFolder,
  writeFiles,
} from '../../support/scaffold.ts';

// Names

test.each([
  ['spaces', 'my train  script .sh'],
  ['letters beyond ASCII', 'träin-実験-🧪.sh'],
  ['a line break', 'train\nscript.sh'],
  ['a tab', 'train\tscript.sh'],
  ['a leading dash', '-train.sh'],
  ['glob characters', 'train[1]*?{a,b}.sh'],
  ['an exclamation mark', 'train!.sh'],
  ['a pathspec colon', ':(top)train.sh'],
  ['quotes and a dollar sign', '"tr\'ain"$(x).sh'],
  ['a backslash', 'tr\\ain.sh'],
])('the editable file may have %s in its name', async (_, name) => {
  const quoted = `'${name.replaceAll("'", "'\\''")}'`;
  const repository = await createRepository({
    [name]: FAST_TRAINER,
    // Would be turned too if the pattern took more than the one file.
    'other.sh': 'ROUNDS=4\n',
    'pawl.toml': contractFile({ train: `sh ./${quoted}` }).replace('["train.sh"]', JSON.stringify([name])),
  });
  // Two, because a pattern that takes too much shows with the second constant.
  await runStudy(repository, { editable: [name], experiments: 2 });
});

test('locked and untracked files may have any name', async () => {
  const repository = await fastRepository();
  for (const name of [
    'a b',
    'ü',
    'new\nline',
    '-n',
    '--',
    'glob*',
    '[x]',
    '"q"',
    'tab\t',
    'b\\s',
    ':(top)x',
    '!x',
  ]) {
    await writeFiles(repository, { [name]: 'x\n', [`${name}.d/${name}`]: 'x\n' });
  }
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '--message=names');
  await writeFiles(repository, { 'untracked *\n': 'x\n' });
  await runStudy(repository);
});

test('a tracked file whose name is not UTF-8 is in the worktree and stays in every attempt', async () => {
  const repository = await fastRepository();
  const name = Buffer.from('caf\xe9.txt', 'latin1');
  const path = Buffer.concat([Buffer.from(`${repository}/`), name]);
  await writeFile(path, 'x\n');
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '--message=latin1');
  // The snapshot of the user's state reads names as UTF-8 only.
  await rm(path);
  const { home } = await runStudy(repository);
  const names = await readdir((await findWorktree(repository, home)).path, { encoding: 'buffer' });
  expect(names.some(found => found.equals(name))).toBe(true);
});

test('the paths of repository and data folder may hold spaces, line breaks and glob characters', async () => {
  const folder = await temporaryFolder();
  const repository = await fastRepository(join(folder, '-odd [rep]*\n?é "$(x)" \'.git'));
  const home = join(folder, '-data [home]*\n?é "$(x)" \'');
  await mkdir(home);
  await runStudy(repository, { home });
});

test('the data folder may be reached by a symbolic link', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'real'));
  await symlink('real', join(folder, 'link'));
  await runStudy(await fastRepository(), { home: join(folder, 'link') });
});

// Line ends, links, modes, filters

const LOCKED_CRLF = 'locked one\r\nlocked two\r\n';
const CRLF = CONSTANTS.replaceAll('\n', '\r\n');

test.each([
  ['core.autocrlf=true', '[core]\n\tautocrlf = true\n', ''],
  ['core.autocrlf=input', '[core]\n\tautocrlf = input\n', ''],
  ['core.eol=crlf and text=auto', '[core]\n\teol = crlf\n', '*.txt text=auto\n'],
  ['core.safecrlf=true and autocrlf', '[core]\n\tsafecrlf = true\n\tautocrlf = true\n', ''],
  ['text=auto', '', '* text=auto\n'],
])('CRLF files keep every other line end with %s', async (_, config, attributes) => {
  const repository = await constantsRepository({
    'constants.txt': CRLF,
    'locked.txt': LOCKED_CRLF,
    'train.sh': CONSTANTS_TRAINER,
  });
  await writeFiles(repository, { '.gitattributes': attributes });
  await git(repository, 'add', '.gitattributes');
  await git(repository, 'commit', '--quiet', '--message=attributes', '--allow-empty');
  const { env } = await userWithGitConfig(config);
  await runStudy(repository, {
    env,
    editable: ['constants.txt'],
    args: proposing(raiseRate('constants.txt')),
  });
  expect(await changedLines(repository, 1)).toEqual({ 'constants.txt': '+1 -1' });
  expect(await readCommitted(repository, 'refs/pawl/night/1', 'constants.txt')).toBe(
    CRLF.replace('LR=2', 'LR=8'),
  );
  expect(await readCommitted(repository, 'refs/pawl/night/1', 'locked.txt')).toBe(LOCKED_CRLF);
});

test('a file checked out with CRLF by its attributes gets a one-line attempt', async () => {
  const repository = await constantsRepository({ '.gitattributes': '*.txt text eol=crlf\n' });
  const { home } = await runStudy(repository, {
    editable: ['constants.txt'],
    args: proposing(raiseRate('constants.txt')),
  });
  expect(await changedLines(repository, 1)).toEqual({ 'constants.txt': '+1 -1' });
  const { path } = await findWorktree(repository, home);
  expect(await readFile(join(path, 'constants.txt'), 'utf8')).toMatch(/^LR=8\r\n/);
});

test('a locked file that git would normalise on the next add is not swept into an attempt', async () => {
  const repository = await constantsRepository({ 'locked.txt': LOCKED_CRLF });
  await writeFiles(repository, { '.gitattributes': 'locked.txt text\n' });
  await git(repository, 'add', '.gitattributes');
  await git(repository, 'commit', '--quiet', '--message=attributes');
  await runStudy(repository, { editable: ['constants.txt'], experiments: 3 });
  expect(await readCommitted(repository, 'refs/pawl/night/3', 'locked.txt')).toBe(LOCKED_CRLF);
});

test('a locked file that was committed past its clean filter is not swept into an attempt', async () => {
  const repository = await constantsRepository({ 'model.bin': 'raw bytes\n' });
  await writeFiles(repository, { '.gitattributes': '*.bin filter=pointer\n' });
  await git(repository, 'add', '.gitattributes');
  await git(repository, 'commit', '--quiet', '--message=attributes');
  const { env } = await userWithGitConfig(
    '[filter "pointer"]\n\tclean = sed s/raw/pointer/\n\tsmudge = cat\n\trequired = true\n',
  );
  await runStudy(repository, { env, editable: ['constants.txt'], experiments: 3 });
  expect(await readCommitted(repository, 'refs/pawl/night/3', 'model.bin')).toBe('raw bytes\n');
});

test("the user's clean and smudge filters work on locked and editable files", async () => {
  const trainer = `grep -q 'big model' model.bin || exit 1\n${CONSTANTS_TRAINER}`;
  const repository = await constantsRepository({
    'constants.txt': `# pointer\n${CONSTANTS}`,
    'model.bin': 'pointer\n',
    'train.sh': trainer,
    '.gitattributes': 'model.bin filter=large\nconstants.txt filter=large\n',
  });
  const { env } = await userWithGitConfig(
    "[filter \"large\"]\n\tclean = sed 's/big model/pointer/'\n\tsmudge = sed 's/pointer/big model/'\n\trequired = true\n",
  );
  const { home } = await runStudy(repository, {
    env,
    editable: ['constants.txt'],
    args: proposing(`grep -q 'big model' constants.txt && ${raiseRate('constants.txt')}`),
  });
  expect(await changedLines(repository, 1)).toEqual({ 'constants.txt': '+1 -1' });
  expect(await readCommitted(repository, 'refs/pawl/night/1', 'constants.txt')).toMatch(/^# pointer\nLR=8\n/);
  const { path } = await findWorktree(repository, home);
  expect(await readFile(join(path, 'model.bin'), 'utf8')).toBe('big model\n');
});

test('a required filter that fails ends the sitting with an error that names it', async () => {
  const repository = await constantsRepository({
    'model.bin': 'x\n',
    '.gitattributes': '*.bin filter=sealed\n',
  });
  const userState = await snapshotUserState(repository);
  const { env } = await userWithGitConfig(
    '[filter "sealed"]\n\tclean = false\n\tsmudge = false\n\trequired = true\n',
  );
  const home = await temporaryFolder();
  const { code, stderr } = await sitting(['run', repository, '--tag', 'night', '-n', '1'], { home, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^pawl: .*filter.*sealed/);
  expect(await snapshotUserState(repository)).toBe(userState);
});

test('tracked symbolic links are links in the worktree and in every attempt', async () => {
  const repository = await fastRepository();
  await symlink('README.md', join(repository, 'link'));
  await symlink('/nonexistent/target', join(repository, 'dangling'));
  await symlink('..', join(repository, 'up'));
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '--message=links');
  const { home } = await runStudy(repository);
  const { path } = await findWorktree(repository, home);
  expect(await Promise.all(['link', 'dangling', 'up'].map(name => readlink(join(path, name))))).toEqual([
    'README.md',
    '/nonexistent/target',
    '..',
  ]);
});

test('an editable file that is a symbolic link is refused', async () => {
  const repository = await createRepository({ 'real.sh': FAST_TRAINER, 'pawl.toml': contractFile() });
  await symlink('real.sh', join(repository, 'train.sh'));
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '--message=link');
  await expectRefusal(repository, /train\.sh is a link or a submodule/);
});

test.each(['true', 'false'])('executable bits are kept with core.fileMode=%s', async fileMode => {
  const repository = await createRepository({
    'train.sh': `#!/bin/sh\n${FAST_TRAINER}`,
    'tool.sh': '#!/bin/sh\n',
    'pawl.toml': contractFile({ train: './train.sh' }),
  });
  await chmod(join(repository, 'train.sh'), 0o755);
  await chmod(join(repository, 'tool.sh'), 0o755);
  await git(repository, 'commit', '--quiet', '--all', '--message=bits');
  await git(repository, 'config', 'core.fileMode', fileMode);
  const { home } = await runStudy(repository);
  for (const file of ['train.sh', 'tool.sh']) {
    expect(await git(repository, 'ls-tree', 'refs/pawl/night/1', file)).toMatch(/^100755 /);
  }
  const { path } = await findWorktree(repository, home);
  expect((await stat(join(path, 'train.sh'))).mode & 0o111).toBe(0o111);
});

test('ignore rules that match the editable tracked file do not hide its changes', async () => {
  const repository = await fastRepository();
  await writeFiles(repository, { '.gitignore': '*\n' });
  await git(repository, 'add', '--force', '.gitignore');
  await git(repository, 'commit', '--quiet', '--message=ignore');
  const { env, folder } = await userWithGitConfig('[core]\n\texcludesFile = ~/ignore\n');
  await writeFile(join(folder, 'ignore'), 'train.sh\n*.sh\n');
  await runStudy(repository, { env });
});
