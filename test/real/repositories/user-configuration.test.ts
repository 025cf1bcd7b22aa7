import { existsSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkInvariants } from '../../support/invariants.ts';
import { pawl, sitting } from '../../support/pawl.ts';
import {
  findWorktree,
  markerPrograms,
  proposing,
  raiseRate,
  runStudy,
  userWithGitConfig,
} from '../../support/repositories.ts';
import {
  fastRepository,
  git,
  snapshotUserState,
  temporaryFolder,
  writeFiles,
} from '../../support/scaffold.ts';

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
  const { home } = await runStudy(repository, { env, experiments: 3, args: ['--strategy', 'ladder'] });
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
