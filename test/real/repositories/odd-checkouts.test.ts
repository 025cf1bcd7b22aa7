import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventsOf, sitting } from '../../support/pawl.ts';
import { expectRefusal } from '../../support/refusal.ts';
import {
  findWorktree,
  proposing,
  raiseRate,
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
  await expectRefusal(await temporaryFolder(), /is not a checkout of a git repository/);
});

test('a bare repository is refused', async () => {
  const bare = join(await temporaryFolder(), 'bare.git');
  await git(await fastRepository(), 'clone', '--quiet', '--bare', '.', bare);
  await expectRefusal(bare, /is not a checkout of a git repository/);
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
  await git(linked, 'commit', '--quiet', '--allow-empty', '--message=side');
  const mainState = await snapshotUserState(main);
  const { events } = await runStudy(linked);
  const [started] = eventsOf(events, 'study_started');
  expect(started?.repository).toBe(linked);
  expect(started?.baseCommit).toBe(await git(linked, 'rev-parse', 'HEAD'));
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
  await runStudy(repository, { args: ['--trust-setup'] });
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
