import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkInvariants } from './support/invariants.ts';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import {
  CONSTANTS,
  CONSTANTS_TRAINER,
  canBeNobody,
  changedLines,
  constantsRepository,
  findWorktree,
  lowerRate,
  markerPrograms,
  NOBODY,
  pawlAsNobody,
  proposing,
  raiseRate,
  readCommitted,
  runStudy,
  userWithGitConfig,
} from './support/repositories.ts';
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

/** What a refusal must look like: exit code 2, one line on stderr, nothing on stdout, nothing made. */
async function expectRefusal(repository: string, message: RegExp, args: readonly string[] = []) {
  const home = await temporaryFolder();
  const refs = existsSync(join(repository, '.git')) ? await git(repository, 'for-each-ref') : '';
  const result = await sitting(['run', repository, '--tag', 'night', '-n', '2', ...args], { home });
  expect(result.stderr).toMatch(message);
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(existsSync(join(home, 'worktrees'))).toBe(false);
  expect(existsSync(join(home, 'studies'))).toBe(false);
  if (existsSync(join(repository, '.git'))) expect(await git(repository, 'for-each-ref')).toBe(refs);
}

// The state of the user's checkout

test('modified, staged, deleted, untracked and stashed files stay as they are and out of the attempts', async () => {
  const repository = await fastRepository();
  await writeFiles(repository, { 'README.md': 'stashed\n' });
  await git(repository, 'stash', 'push', '--quiet');
  await writeFiles(repository, {
    'train.sh': 'exit 1 # being edited\n',
    'staged.txt': 'staged\n',
    'notes/untracked.txt': 'untracked\n',
  });
  await git(repository, 'add', 'staged.txt');
  await rm(join(repository, 'prepare.sh'));
  const stash = await git(repository, 'stash', 'list');
  await runStudy(repository);
  expect(await git(repository, 'stash', 'list')).toBe(stash);
  expect(await git(repository, 'ls-tree', '--name-only', 'refs/pawl/night/1')).toBe(
    'README.md\npawl.toml\nprepare.sh\ntrain.sh',
  );
});

test('a checkout in the middle of a conflicting merge stays in the middle of it', async () => {
  const repository = await fastRepository();
  await git(repository, 'switch', '--quiet', '--create', 'other');
  await writeFiles(repository, { 'README.md': 'theirs\n' });
  await git(repository, 'commit', '--quiet', '--all', '--message=theirs');
  await git(repository, 'switch', '--quiet', 'main');
  await writeFiles(repository, { 'README.md': 'ours\n' });
  await git(repository, 'commit', '--quiet', '--all', '--message=ours');
  await expect(git(repository, 'merge', 'other')).rejects.toThrow();
  const merging = await readFile(join(repository, '.git', 'MERGE_HEAD'), 'utf8');
  await runStudy(repository);
  expect(await readFile(join(repository, '.git', 'MERGE_HEAD'), 'utf8')).toBe(merging);
});

test('a study starts from a detached HEAD and leaves it detached', async () => {
  const repository = await fastRepository();
  await writeFiles(repository, { 'README.md': 'second\n' });
  await git(repository, 'commit', '--quiet', '--all', '--message=second');
  await git(repository, 'checkout', '--quiet', '--detach', 'HEAD~');
  const head = await git(repository, 'rev-parse', 'HEAD');
  const { events } = await runStudy(repository);
  expect(eventsOf(events, 'study_started')[0]?.baseCommit).toBe(head);
});

test('a repository without a commit is refused and nothing is made', async () => {
  const repository = join(await temporaryFolder(), 'unborn');
  await mkdir(repository);
  await git(repository, 'init', '--quiet');
  await writeFiles(repository, { 'train.sh': FAST_TRAINER, 'pawl.toml': contractFile() });
  await expectRefusal(repository, /has no commit yet: commit your files first/);
});

test('a folder that is no repository is refused', async () => {
  await expectRefusal(await temporaryFolder(), /is not the checkout of a git repository/);
});

test('a bare repository is refused', async () => {
  const bare = join(await temporaryFolder(), 'bare.git');
  await git(await fastRepository(), 'clone', '--quiet', '--bare', '.', bare);
  await expectRefusal(bare, /is not the checkout of a git repository/);
});

test('a folder inside the repository stands for the repository', async () => {
  const repository = await fastRepository();
  await writeFiles(repository, { 'deep/er/file.txt': 'x\n' });
  const home = await temporaryFolder();
  const { code, events } = await sitting(
    ['run', join(repository, 'deep', 'er'), '--tag', 'night', '-n', '1'],
    {
      home,
    },
  );
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_started')[0]?.repository).toBe(repository);
});

// Kinds of repository

test('a shallow clone is ratcheted like any other', async () => {
  const origin = await fastRepository();
  await writeFiles(origin, { 'README.md': 'second\n' });
  await git(origin, 'commit', '--quiet', '--all', '--message=second');
  const clone = join(await temporaryFolder(), 'clone');
  await git(origin, 'clone', '--quiet', '--depth=1', `file://${origin}`, clone);
  expect(await git(clone, 'rev-parse', '--is-shallow-repository')).toBe('true');
  await runStudy(clone);
});

test('a partial clone fetches the files it lacks', async () => {
  const origin = await fastRepository();
  await git(origin, 'config', 'uploadpack.allowFilter', 'true');
  const clone = join(await temporaryFolder(), 'clone');
  await git(origin, 'clone', '--quiet', '--filter=blob:none', `file://${origin}`, clone);
  await runStudy(clone);
});

test('files outside the sparse checkout of the user are not deleted by an attempt', async () => {
  const repository = await fastRepository();
  await writeFiles(repository, { 'big/data.txt': 'data\n', 'src/a.txt': 'a\n' });
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '--message=data');
  await git(repository, 'sparse-checkout', 'set', 'src');
  await runStudy(repository);
});

test('the checkout can be a linked worktree', async () => {
  const main = await fastRepository();
  const linked = join(await temporaryFolder(), 'linked');
  await git(main, 'worktree', 'add', '--quiet', '-b', 'side', linked);
  const mainState = await snapshotUserState(main);
  const { events } = await runStudy(linked);
  expect(eventsOf(events, 'study_started')[0]?.repository).toBe(linked);
  expect(await snapshotUserState(main)).toBe(mainState);
});

test('the git folder can lie elsewhere', async () => {
  const folder = await temporaryFolder();
  const repository = await fastRepository(join(folder, 'checkout'));
  await git(repository, 'init', '--quiet', `--separate-git-dir=${join(folder, 'elsewhere.git')}`);
  expect((await lstat(join(repository, '.git'))).isFile()).toBe(true);
  await runStudy(repository);
});

test('the checkout can be a submodule of another repository', async () => {
  const origin = await fastRepository();
  const parent = await createRepository({ 'a.txt': 'a\n' });
  await git(parent, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', origin, 'sub');
  await git(parent, 'commit', '--quiet', '--message=sub');
  const parentState = await snapshotUserState(parent);
  await runStudy(join(parent, 'sub'));
  expect(await snapshotUserState(parent)).toBe(parentState);
});

test('a repository with SHA-256 names is ratcheted like any other', async () => {
  const repository = join(await temporaryFolder(), 'repo');
  await mkdir(repository);
  await git(repository, 'init', '--quiet', '--object-format=sha256', '--initial-branch=main');
  await createRepository({ 'train.sh': FAST_TRAINER, 'pawl.toml': contractFile() }, repository);
  const { events } = await runStudy(repository);
  expect(eventsOf(events, 'attempted').map(event => event.commit.length)).toEqual([64, 64]);
});

const hasReftable = (() => {
  const version = /(\d+)\.(\d+)/.exec(execFileSync('git', ['--version'], { encoding: 'utf8' }));
  return Number(version?.[1]) > 2 || Number(version?.[2]) >= 45;
})();

// git knows reftable since 2.45.
test.skipIf(!hasReftable)('a repository with reftable refs is ratcheted like any other', async () => {
  const repository = join(await temporaryFolder(), 'repo');
  await mkdir(repository);
  await git(repository, 'init', '--quiet', '--ref-format=reftable', '--initial-branch=main');
  await createRepository({ 'train.sh': FAST_TRAINER, 'pawl.toml': contractFile() }, repository);
  await runStudy(repository);
});

test('safe.bareRepository=explicit does not get in the way', async () => {
  const { env } = await userWithGitConfig('[safe]\n\tbareRepository = explicit\n');
  await runStudy(await fastRepository(), { env });
});

test('five thousand tracked files are no obstacle', async () => {
  const repository = await fastRepository();
  const files = [...Array(5000).keys()].map(
    index => `M 100644 inline data/${index % 50}/${index}.txt\ndata 2\n${index % 10}\n`,
  );
  // Written past the checkout, which then lacks them all: that is the user's business.
  execFileSync('git', ['fast-import', '--quiet'], {
    cwd: repository,
    input: `commit refs/heads/main\ncommitter T <t@localhost> 0 +0000\ndata 4\nmany\nfrom refs/heads/main^0\n${files.join('')}`,
  });
  const { home } = await runStudy(repository);
  expect(await readdir(join((await findWorktree(repository, home)).path, 'data', '49'))).toHaveLength(100);
});

test('a repository nested in the checkout, untracked, stays as it is', async () => {
  const repository = await fastRepository();
  await createRepository({ 'inner.txt': 'x\n' }, join(repository, 'nested'));
  const { events } = await runStudy(repository);
  const commit = eventsOf(events, 'attempted')[1]?.commit ?? '';
  expect(await git(repository, 'ls-tree', '--name-only', commit)).not.toMatch(/nested/);
});

// Submodules in the project

async function repositoryWithSubmodule(more = ''): Promise<string> {
  const library = await createRepository({ 'library.sh': 'echo library\n' });
  const repository = await createRepository({
    'train.sh': FAST_TRAINER,
    'pawl.toml': contractFile({
      more,
      train: more === '' ? 'sh train.sh' : 'sh sub/library.sh && sh train.sh',
    }),
  });
  await git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'sub');
  await git(repository, 'commit', '--quiet', '--all', '--message=sub');
  return repository;
}

test('a submodule is an empty folder in the attempts and unchanged in the checkout', async () => {
  const repository = await repositoryWithSubmodule();
  const { home } = await runStudy(repository);
  const { path } = await findWorktree(repository, home);
  expect(await readdir(join(path, 'sub'))).toEqual([]);
});

test('a set-up command that fills the submodules serves every experiment', async () => {
  const update = 'git -c protocol.file.allow=always submodule --quiet update --init';
  const repository = await repositoryWithSubmodule(`setup = "${update}"`);
  const submodule = await git(repository, 'ls-files', '--stage', 'sub');
  await runStudy(repository);
  expect(await git(repository, 'ls-tree', 'refs/pawl/night/1', 'sub')).toContain(submodule.split(' ')[1]);
});

test('a proposal that writes into a submodule is refused and the study goes on', async () => {
  const repository = await repositoryWithSubmodule();
  const home = await temporaryFolder();
  const script = `n=$(cat "$HOME/n" 2>/dev/null); echo 1 >> "$HOME/n"
    if [ -z "$n" ]; then echo x > sub/new.txt; else ${raiseRate()}; fi`;
  const { code, stderr, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    { home, env: { HOME: await temporaryFolder() } },
  );
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(['not_editable']);
  expect(eventsOf(events, 'verdict').map(event => event.verdict)).toEqual(['keep', 'keep']);
});

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
    '.gitattributes': '*.bin filter=lfs\n',
  });
  const userState = await snapshotUserState(repository);
  const { env } = await userWithGitConfig(
    '[filter "lfs"]\n\tclean = false\n\tsmudge = false\n\trequired = true\n',
  );
  const home = await temporaryFolder();
  const { code, stderr } = await sitting(['run', repository, '--tag', 'night', '-n', '1'], { home, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^pawl: .*filter.*lfs/);
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

// Configuration that runs programs or changes what git prints

test('no hook of the user runs', async () => {
  const repository = await fastRepository();
  const { create, ran, folder } = await markerPrograms();
  const names = [
    ...['pre-commit', 'prepare-commit-msg', 'commit-msg', 'post-commit', 'post-checkout', 'post-rewrite'],
    ...['reference-transaction', 'post-index-change', 'pre-auto-gc', 'post-merge', 'applypatch-msg'],
  ];
  for (const name of names) {
    await cp(await create(`hooks/${name}`), join(repository, '.git', 'hooks', name));
  }
  const { env } = await userWithGitConfig(`[core]\n\thooksPath = ${join(folder, 'hooks')}\n`);
  await runStudy(repository);
  await runStudy(await fastRepository(), { env });
  expect(await ran()).toEqual([]);
});

test('no program of the configuration runs and no setting changes what is committed or shown', async () => {
  const repository = await fastRepository();
  const { create, ran } = await markerPrograms();
  const program = await create('program');
  const template = await temporaryFolder();
  await cp(program, join(template, 'hooks', 'post-checkout'));
  const { env, folder } = await userWithGitConfig(`
[user]
	useConfigOnly = true
[commit]
	gpgSign = true
	template = ~/template
	verbose = true
	cleanup = scissors
[tag]
	gpgSign = true
[gpg]
	program = ${program}
	format = ssh
[gpg "ssh"]
	program = ${program}
[core]
	editor = ${program}
	pager = ${program}
	fsmonitor = ${program}
	askPass = ${program}
	sshCommand = ${program}
	commentChar = R
	quotePath = true
	abbrev = 4
	excludesFile = ~/ignore
	logAllRefUpdates = always
	untrackedCache = true
	splitIndex = true
	whitespace = error
[sequence]
	editor = ${program}
[init]
	templateDir = ${template}
[diff]
	external = ${program}
	noprefix = true
	mnemonicPrefix = true
	context = 0
	submodule = log
	colorMoved = zebra
[i18n]
	commitEncoding = ISO-8859-1
	logOutputEncoding = UTF-16
[status]
	showUntrackedFiles = no
	short = true
[color]
	ui = always
[pager]
	diff = ${program}
	show = ${program}
[interactive]
	diffFilter = ${program}
[credential]
	helper = ${program}
[alias]
	commit = !${program}
	update-ref = !${program}
[gc]
	auto = 1
[submodule]
	recurse = true
[apply]
	whitespace = error-all
[log]
	showSignature = true
[worktree]
	guessRemote = true
[advice]
	addIgnoredFile = true
`);
  await writeFile(join(folder, 'template'), 'from the template\n');
  await writeFile(join(folder, 'ignore'), '*\n');
  const { home } = await runStudy(repository, { env, experiments: 3 });
  const shown = await pawl(['show', '1', '--diff', '-C', repository], { home, env });
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^diff --git a\/train\.sh b\/train\.sh\n/);
  expect(shown.stdout).toMatch(/\n-[A-Z]+=\d+\n\+[A-Z]+=\d+\n/);
  const body = await git(repository, 'cat-file', 'commit', 'refs/pawl/night/1');
  expect(body).toMatch(/\nauthor Pawl <pawl@localhost> /);
  expect(body).not.toMatch(/gpgsig|template/);
  expect(body).toMatch(/\n\nRaise|\n\nLower|\n\nSet/);
  expect(await ran()).toEqual([]);
});

test('a hypothesis in any script is the commit message, whatever i18n.commitEncoding says', async () => {
  const repository = await fastRepository();
  const { env } = await userWithGitConfig('[i18n]\n\tcommitEncoding = ISO-8859-1\n');
  const hypothesis = '# Größere Lernrate – 学習率を上げる';
  await runStudy(repository, { env, args: proposing(raiseRate(), hypothesis) });
  expect(await git(repository, 'log', '-1', '--format=%s', 'autoresearch/night')).toBe(hypothesis);
});

test('a diff order file that is not there does not keep the diff from being shown', async () => {
  const { env } = await userWithGitConfig('[diff]\n\torderFile = /nonexistent/order\n');
  const repository = await fastRepository();
  const { home } = await runStudy(repository, { env });
  const shown = await pawl(['show', '1', '--diff', '-C', repository], { home, env });
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^diff --git a\/train\.sh b\/train\.sh\n/);
});

test("attempts are committed in the user's name, also from an included configuration", async () => {
  const repository = await fastRepository();
  const { env, folder } = await userWithGitConfig(
    `[user]\n\tname = Somebody\n\temail = wrong@localhost\n[includeIf "gitdir:${repository}/"]\n\tpath = work\n`,
  );
  await writeFile(join(folder, 'work'), '[user]\n\temail = right@localhost\n');
  await runStudy(repository, { env });
  expect(await git(repository, 'log', '-1', '--format=%an <%ae> %cn <%ce>', 'refs/pawl/night/1')).toBe(
    'Somebody <right@localhost> Somebody <right@localhost>',
  );
});

test("git's variables in the environment lead nothing astray", async () => {
  const repository = await fastRepository();
  const other = await fastRepository();
  const otherState = await snapshotUserState(other);
  await runStudy(repository, {
    env: {
      GIT_DIR: join(other, '.git'),
      GIT_WORK_TREE: other,
      GIT_INDEX_FILE: join(other, '.git', 'index'),
      GIT_COMMON_DIR: join(other, '.git'),
      GIT_OBJECT_DIRECTORY: join(other, '.git', 'objects'),
      GIT_NAMESPACE: 'elsewhere',
      GIT_PREFIX: 'sub/',
      GIT_AUTHOR_DATE: '2001-01-01T00:00:00Z',
      GIT_COMMITTER_DATE: '2001-01-01T00:00:00Z',
      GIT_AUTHOR_NAME: 'Nobody',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.bare',
      GIT_CONFIG_VALUE_0: 'true',
      GIT_TRACE: '1',
      GIT_LITERAL_PATHSPECS: '1',
      GIT_ICASE_PATHSPECS: undefined,
      GIT_EDITOR: '/nonexistent',
      GIT_DEFAULT_HASH: 'sha256',
      LC_ALL: 'de_DE.UTF-8',
    },
  });
  expect(await snapshotUserState(other)).toBe(otherState);
  expect(await git(other, 'for-each-ref', 'refs/pawl', 'refs/heads/autoresearch')).toBe('');
  expect(await git(repository, 'log', '-1', '--format=%ad', 'refs/pawl/night/1')).not.toMatch(/2001/);
});

test("an agent command does not inherit git's variables, so its git works in the worktree", async () => {
  const repository = await fastRepository();
  await runStudy(repository, {
    args: proposing(`${raiseRate()} && git add --all`),
    env: { GIT_DIR: join(repository, '.git'), GIT_INDEX_FILE: join(repository, '.git', 'index') },
  });
});

// Locks left by dead processes

test("a lock left in the user's index does not stop a study and stays", async () => {
  const repository = await fastRepository();
  await writeFile(join(repository, '.git', 'index.lock'), '');
  await runStudy(repository);
  expect(existsSync(join(repository, '.git', 'index.lock'))).toBe(true);
});

test("locks left in the study's worktree are cleared by the next sitting", async () => {
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const { home } = await runStudy(repository);
  const { adminDir } = await findWorktree(repository, home);
  await writeFiles(adminDir, { 'index.lock': '', 'HEAD.lock': '' });
  const { code, stderr } = await sitting(['resume', repository, '-n', '2'], { home });
  expect(`${code} ${stderr}`).toBe('0 ');
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
});

test("an agent's git that died and left its lock does not end the study", async () => {
  const repository = await fastRepository();
  await runStudy(repository, {
    args: proposing(`${raiseRate()}; : > "$(git rev-parse --git-path index.lock)"`),
  });
});

// What an agent may do with git in the worktree

/** Writes a line down for each call of a command proposer; `wc -l` of the file is the number of calls. */
const countCalls = 'echo >> "$HOME/calls"';

test.each([
  ['commits its edit', `${raiseRate()} && git -c user.name=a -c user.email=a@b commit -qam agent`],
  [
    'commits half of its edit',
    `${raiseRate()} && git -c user.name=a -c user.email=a@b commit -qam agent && sed -i 's/^DEPTH=4/DEPTH=6/' train.sh`,
  ],
  ['stages a locked file away', `${raiseRate()} && git rm --quiet --cached prepare.sh`],
  [
    'stages another content of a locked file',
    `${raiseRate()} && b=$(echo x | git hash-object -w --stdin) &&
    git update-index --cacheinfo "100644,$b,prepare.sh" && git update-index --skip-worktree prepare.sh`,
  ],
  ['hides its edit from git', `git update-index --assume-unchanged train.sh && ${raiseRate()}`],
  [
    'stashes before it edits',
    `echo x >> train.sh && git -c user.name=a -c user.email=a@b stash -q && git stash drop -q && ${raiseRate()}`,
  ],
])('an attempt is the edit on the incumbent when the agent %s', async (_, script) => {
  const repository = await fastRepository();
  await runStudy(repository, {
    // An agent that is asked for ever fails in the end, so that the test does too.
    args: proposing(`${countCalls} && [ $(wc -l < "$HOME/calls") -le 10 ] || exit 1\n${script}`),
    env: { HOME: await temporaryFolder() },
  });
  const attempt = await readCommitted(repository, 'refs/pawl/night/1', 'train.sh');
  expect(attempt).toMatch(/^LR=8$/m);
});

test('edits of which git would store nothing are refused, and the fifth in a row ends the sitting', async () => {
  const repository = await constantsRepository({ '.gitattributes': 'constants.txt filter=fixed\n' });
  const { env, folder } = await userWithGitConfig(
    `[filter "fixed"]\n\tclean = "printf 'LR=2\\\\nDEPTH=4\\\\nWIDTH=16\\\\n'"\n\tsmudge = cat\n`,
  );
  const home = await temporaryFolder();
  const script = `${countCalls}; n=$(wc -l < "$HOME/calls"); [ $n -le 10 ] || exit 1; sed -i "s/^LR=.*/LR=1$n/" constants.txt`;
  const { code, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    { home, env },
  );
  expect(code).toBe(1);
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(Array(5).fill('no_change'));
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'proposer', finished: 1 });
  expect((await readFile(join(folder, 'calls'), 'utf8')).length).toBe(5);
});

test('a discard moves nothing when the agent has switched to the branch of the study', async () => {
  const repository = await fastRepository();
  await runStudy(repository, {
    args: proposing(`git checkout -q autoresearch/night && ${lowerRate()}`),
  });
});

test("the user's branch stays when the agent has switched to it", async () => {
  const repository = await fastRepository();
  await git(repository, 'checkout', '--quiet', '--detach');
  await runStudy(repository, { args: proposing(`git checkout -q main && ${raiseRate()}`) });
});

test('a training that switches to the branch of the study moves nothing', async () => {
  const repository = await createRepository({
    'train.sh': FAST_TRAINER,
    'pawl.toml': contractFile({ train: 'git checkout -q -f autoresearch/night && sh train.sh' }),
  });
  // The baseline's training switches, the first attempt is committed after that, and is worse.
  await runStudy(repository, { args: proposing(lowerRate()) });
});

test('a proposal that makes a repository in the worktree is refused and the study goes on', async () => {
  const repository = await fastRepository();
  const home = await temporaryFolder();
  const script = `n=$(cat "$HOME/n" 2>/dev/null); echo 1 >> "$HOME/n"
    if [ -z "$n" ]; then git init -q nested && echo x > nested/x; else ${raiseRate()}; fi`;
  const { code, stderr, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    { home, env: { HOME: await temporaryFolder() } },
  );
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(['not_editable']);
  expect(eventsOf(events, 'verdict').map(event => event.verdict)).toEqual(['keep', 'keep']);
});

// The branch

test('a branch of that name is refused before anything is made', async () => {
  const repository = await fastRepository();
  await git(repository, 'branch', 'autoresearch/night');
  await expectRefusal(repository, /autoresearch\/night exists already/);
});

test('a branch called autoresearch, under which git can make no other, is refused before anything is made', async () => {
  const repository = await fastRepository();
  await git(repository, 'branch', 'autoresearch');
  await expectRefusal(repository, /autoresearch/);
});

test('attempts that an earlier study of that name left are refused before anything is made', async () => {
  const repository = await fastRepository();
  await runStudy(repository, { args: proposing(raiseRate()) });
  // The user has thrown the branch and, with the data folder, the notebook away; the attempts are still there.
  await git(repository, 'branch', '--quiet', '-D', 'autoresearch/night');
  await expectRefusal(repository, /refs\/pawl\/night/);
});

test('a study without a name gets one that no earlier study has left attempts of', async () => {
  const repository = await fastRepository();
  const args = ['run', repository, '-n', '1', ...proposing(raiseRate())];
  const first = await sitting(args, { home: await temporaryFolder() });
  const branch = eventsOf(first.events, 'study_started')[0]?.branch ?? '';
  await git(repository, 'branch', '--quiet', '-D', branch);
  const second = await sitting(['run', repository, '-n', '1', ...proposing(lowerRate())], {
    home: await temporaryFolder(),
  });
  expect(`${second.code} ${second.stderr}`).toBe('0 ');
  expect(eventsOf(second.events, 'study_started')[0]?.branch).toBe(`${branch}-2`);
});

test('a study of that name in another repository is no obstacle', async () => {
  const home = await temporaryFolder();
  await runStudy(await fastRepository(), { home });
  const other = await fastRepository();
  const { code, stderr } = await sitting(['run', other, '--tag', 'night', '-n', '1'], { home });
  expect(`${code} ${stderr}`).toBe('0 ');
  expect((await git(other, 'for-each-ref', 'refs/pawl/night')).split('\n')).toHaveLength(2);
});

test('a study is not resumed while the user has its branch checked out', async () => {
  const repository = await fastRepository();
  const { home } = await runStudy(repository);
  await git(repository, 'switch', '--quiet', 'autoresearch/night');
  const userState = await snapshotUserState(repository);
  const { code, stderr } = await sitting(['resume', repository, '-n', '2'], { home });
  expect(code).toBe(1);
  expect(stderr).toMatch(/has autoresearch\/night checked out.*Switch to another branch first/);
  expect(await snapshotUserState(repository)).toBe(userState);
});

test('a study is not resumed while another worktree of the user has its branch checked out', async () => {
  const repository = await fastRepository();
  const { home } = await runStudy(repository);
  const linked = join(await temporaryFolder(), 'look');
  await git(repository, 'worktree', 'add', '--quiet', linked, 'autoresearch/night');
  const before = await git(repository, 'rev-parse', 'autoresearch/night');
  const { code, stderr } = await sitting(
    ['resume', repository, '-n', '2', ...proposing('sed -i s/^WIDTH=16/WIDTH=8/ train.sh')],
    {
      home,
    },
  );
  expect(await git(repository, 'rev-parse', 'autoresearch/night')).toBe(before);
  expect(await git(linked, 'status', '--porcelain')).toBe('');
  expect(code).toBe(1);
  expect(stderr).toMatch(/checked out/);
});

test('the branch is not moved under a user who has switched to it during a sitting', async () => {
  const repository = await fastRepository();
  const home = await temporaryFolder();
  const script = `env -C '${repository}' git switch -q autoresearch/night && ${raiseRate()}`;
  const { code, stderr } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    {
      home,
    },
  );
  expect(await git(repository, 'status', '--porcelain')).toBe('');
  expect(code).toBe(1);
  expect(stderr).toMatch(/checked out/);
  expect(await readCommitted(repository, 'refs/pawl/night/1', 'train.sh')).toMatch(/^LR=8$/m);
});

test('a branch the user moved between two sittings is left where it is, and the error says how to go on', async () => {
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const { home } = await runStudy(repository, { args: proposing(raiseRate()) });
  const kept = await git(repository, 'rev-parse', 'autoresearch/night');
  await git(repository, 'update-ref', 'refs/heads/autoresearch/night', 'HEAD');
  const { code, stderr } = await sitting(['resume', repository, '-n', '2', '--proposer', 'search'], { home });
  expect(code).toBe(1);
  expect(stderr).toContain(`git update-ref refs/heads/autoresearch/night ${kept}`);
  expect(await git(repository, 'rev-parse', 'autoresearch/night')).toBe(
    await git(repository, 'rev-parse', 'HEAD'),
  );
  expect(await git(repository, 'rev-parse', 'refs/pawl/night/1')).toBe(kept);

  const [, command = ''] = /"git (update-ref[^"]+)"/.exec(stderr) ?? [];
  await git(repository, ...command.split(' '));
  const again = await sitting(['resume', repository, '-n', '2', '--proposer', 'search'], { home });
  expect(`${again.code} ${again.stderr}`).toBe('0 ');
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
});

test('a branch the user moves during a sitting is left where it is, and the kept attempt stays reachable', async () => {
  const repository = await fastRepository();
  const elsewhere = await git(repository, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', "the user's own");
  const userState = await snapshotUserState(repository);
  const home = await temporaryFolder();
  const script = `git update-ref refs/heads/autoresearch/night ${elsewhere} && ${raiseRate()}`;
  const { code, stderr, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    { home },
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/autoresearch\/night no longer points at [0-9a-f]{12}.*refs\/pawl\/night\/1/);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'error' });
  expect(await git(repository, 'rev-parse', 'autoresearch/night')).toBe(elsewhere);
  expect(await readCommitted(repository, 'refs/pawl/night/1', 'train.sh')).toMatch(/^LR=8$/m);

  const base = await git(repository, 'rev-parse', 'HEAD');
  await git(repository, 'update-ref', 'refs/heads/autoresearch/night', base);
  const again = await sitting(['resume', repository, '-n', '2', '--proposer', 'search'], { home });
  expect(`${again.code} ${again.stderr}`).toBe('0 ');
  expect(eventsOf(again.events, 'verdict').map(event => event.n)).toEqual([2]);
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
});

test('a branch the user deleted between two sittings is made again at the incumbent', async () => {
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const { home } = await runStudy(repository, { args: proposing(raiseRate()) });
  const kept = await git(repository, 'rev-parse', 'autoresearch/night');
  await git(repository, 'branch', '--quiet', '-D', 'autoresearch/night');
  const { code, stderr, events } = await sitting(['resume', repository, '-n', '2', '--proposer', 'search'], {
    home,
  });
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(eventsOf(events, 'experiment_started').map(event => event.parent)).toEqual([kept]);
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
});

// The worktree and the repository between two sittings

test('a worktree that was deleted, and pruned from git, is made again', async () => {
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const { home } = await runStudy(repository);
  const { path, adminDir } = await findWorktree(repository, home);
  const resumeTo = async (count: number) => {
    const { code, stderr } = await sitting(['resume', repository, '-n', String(count)], { home });
    expect(`${code} ${stderr}`).toBe('0 ');
    await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
  };
  // Only the folder.
  await rm(path, { recursive: true });
  await resumeTo(2);
  // The folder and git's record of it.
  await rm(path, { recursive: true });
  await git(repository, 'worktree', 'unlock', path);
  await git(repository, 'worktree', 'prune');
  expect(existsSync(adminDir)).toBe(false);
  await resumeTo(3);
  // Only the record.
  await rm(adminDir, { recursive: true });
  await resumeTo(4);
  // A record that is damaged.
  await rm(join(adminDir, 'HEAD'));
  await resumeTo(5);
});

test('a repository that was moved goes on at its new path', async () => {
  const repository = await fastRepository();
  const { home } = await runStudy(repository);
  const moved = `${repository}-moved`;
  await rename(repository, moved);
  const userState = await snapshotUserState(moved);
  const { code, stderr } = await sitting(['resume', moved, '--tag', 'night', '-n', '2'], { home });
  expect(`${code} ${stderr}`).toBe('0 ');
  await checkInvariants({ repository: moved, home, tag: 'night', userState, editable: ['train.sh'] });
});

test('another repository at the path of the old one is not taken for it', async () => {
  const repository = await fastRepository();
  const { home } = await runStudy(repository);
  await rename(repository, `${repository}-moved`);
  await createRepository({ 'train.sh': `#\n${FAST_TRAINER}`, 'pawl.toml': contractFile() }, repository);
  const userState = await snapshotUserState(repository);
  const { code, stderr } = await sitting(['resume', repository, '--tag', 'night', '-n', '2'], { home });
  expect(code).not.toBe(0);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/moved|another repository|not the repository|does not have/i);
  expect(await snapshotUserState(repository)).toBe(userState);
  expect(await git(repository, 'for-each-ref', 'refs/pawl', 'refs/heads/autoresearch')).toBe('');
});

// Rights

// Needs root, to become somebody else, and a program folder that others may read.
test.skipIf(!(await canBeNobody()))(
  'a repository that may not be written is refused, and works once it may',
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    const repository = await fastRepository(join(folder, 'repo'));
    const home = await temporaryFolder();
    await chown(home, NOBODY, NOBODY);
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, repository]);
    execFileSync('chmod', ['-R', 'a-w', join(repository, '.git')]);
    const refused = await pawlAsNobody(['run', repository, '--tag', 'night', '-n', '1'], home);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^pawl: .*(could not write|may not|cannot be written)/);
    expect(refused.stderr.trimEnd().split('\n')).toHaveLength(1);
    const doctor = await pawlAsNobody(['doctor', repository], home);
    expect(doctor.stdout).toMatch(/failed.*cannot be written/);
    execFileSync('chmod', ['-R', 'u+w', join(repository, '.git')]);
    const run = await pawlAsNobody(['run', repository, '--tag', 'night', '-n', '1'], home);
    expect(`${run.code} ${run.stderr}`).toBe('0 ');
  },
);

// Needs root, to give the repository to somebody else.
test.skipIf(process.getuid?.() !== 0)(
  "a repository git does not trust is refused with git's remedy",
  async () => {
    const repository = await fastRepository();
    await chown(repository, NOBODY, NOBODY);
    await chown(join(repository, '.git'), NOBODY, NOBODY);
    const { env } = await userWithGitConfig('');
    const { code, stderr } = await pawl(['run', repository, '-n', '1'], {
      home: await temporaryFolder(),
      env,
    });
    expect(code).toBe(2);
    expect(stderr).toContain(`git config --global --add safe.directory ${repository}`);
  },
);
