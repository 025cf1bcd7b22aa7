import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkInvariants } from '../../support/invariants.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { expectRefusal } from '../../support/refusal.ts';
import {
  canBeNobody,
  findWorktree,
  lowerRate,
  NOBODY,
  pawlAsNobody,
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
} from '../../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf } from '../../support/study.ts';

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

test('git may collect everything unreachable before each proposal, while the user works in the checkout', async () => {
  const repository = await fastRepository();
  const home = await temporaryFolder();
  const user = `git -C '${repository}'`;
  const script = [
    `${user} switch --quiet --force-create mine`,
    `${user} commit --quiet --allow-empty --message=mine`,
    `${user} reflog expire --expire=now --all`,
    `${user} gc --quiet --prune=now`,
    `${user} maintenance run --quiet --task=loose-objects --task=incremental-repack --task=pack-refs`,
    'echo "# $$" >>train.sh',
    raiseRate(),
  ].join(' && ');
  const { code, stderr, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '3', ...proposing(script)],
    { home },
  );
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(eventsOf(events, 'verdict').map(event => event.verdict)).toEqual([
    'keep',
    'keep',
    'discard',
    'discard',
  ]);
  expect(await git(repository, 'rev-list', '--count', 'main..mine')).not.toBe('0');
  await git(repository, 'fsck', '--full');
  const userState = await snapshotUserState(repository);
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

test('a worktree that is deleted while a training runs in it is made again, and its commit trained once more', async () => {
  const place = await temporaryFolder();
  const wait = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
value=`;
  const night = await prepareNight({ trainer: FAST_TRAINER.replace(/^value=/m, () => wait) });
  const running = new RunningPawl(['run', night.repository, '--tag', 'night', '-n', '1'], night);
  await expect.poll(() => existsSync(join(place, 'began'))).toBe(true);
  const { path } = await findWorktree(night.repository, night.home);
  await rm(path, { recursive: true });
  const results = join(night.home, 'studies', rowsOf(night.home).studyId, 'results.tsv');
  await rm(results);
  await writeFile(join(place, 'go'), '');
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
  expect(eventsOf(running.events, 'run_unfair')).toMatchObject([
    { n: 1, flags: [{ kind: 'lost', detail: 'Somebody deleted its worktree.' }] },
  ]);
  expect(rowsOf(night.home).experiments.map(({ verdict }) => verdict)).not.toContain('crash');
  expect((await readFile(results, 'utf8')).trim().split('\n')).toHaveLength(3);
  await checkNight(night);
});

test('a worktree that is deleted before the search reads it is made again, and the search asked again', async () => {
  const place = await temporaryFolder();
  const night = await prepareNight();
  // Meanwhile the search waits for its turn in a worktree that is laid out.
  const propose = `touch ${place}/asked; until [ -e ${place}/go ]; do sleep 0.05; done; ${raiseRate()}`;
  const lanes = ['--lanes', 'cpu:2', '--alternate', ...proposing(propose)];
  const args = ['run', night.repository, '--tag', 'night', '-n', '2', ...lanes];
  const running = new RunningPawl(args, night);
  await running.waitFor(event => event.type === 'experiment_started' && event.n === 2);
  await expect.poll(() => existsSync(join(place, 'asked'))).toBe(true);
  const worktree = join(night.home, 'worktrees', `${rowsOf(night.home).worktreeName}.1`);
  await expect.poll(() => existsSync(join(worktree, 'train.sh'))).toBe(true);
  // Git may be about to write another file.
  await rm(worktree, { recursive: true, maxRetries: 10 });
  await writeFile(join(place, 'go'), '');
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
  expect(eventsOf(running.events, 'refused')).toMatchObject([
    { n: 2, reason: 'proposer_failed', message: 'Somebody deleted the worktree.' },
  ]);
  await checkNight(night);
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

test('a repository that is moved during a sitting ends it with a line that says how to go on, and does', async () => {
  const place = await temporaryFolder();
  const night = await prepareNight();
  const propose = `touch ${place}/asked; until [ -e ${place}/go ]; do sleep 0.05; done; ${raiseRate()}`;
  const args = ['run', night.repository, '--tag', 'night', '-n', '1', ...proposing(propose)];
  const running = new RunningPawl(args, night);
  await expect.poll(() => existsSync(join(place, 'asked')), { timeout: 20_000 }).toBe(true);
  const moved = `${night.repository}-moved`;
  await rename(night.repository, moved);
  await writeFile(join(place, 'go'), '');
  const { code, stderr } = await running.ended;
  expect(code).not.toBe(0);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toContain('If it was moved, resume it with its new path.');
  expect(existsSync(night.repository)).toBe(false);
  const { home } = night;
  const resumed = await sitting(['resume', moved, '--tag', 'night', '-n', '1'], { home });
  expect(`${resumed.code} ${resumed.stderr}`).toBe('0 ');
  expect(rowsOf(home).experiments).toHaveLength(2);
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
  expect(stderr).toMatch(/moved|another repository|no longer the repository|does not have/i);
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
    expect(refused.stderr).toMatch(/^pawl: .*is not allowed to write/);
    expect(refused.stderr.trimEnd().split('\n')).toHaveLength(1);
    const doctor = await pawlAsNobody(['doctor', repository], home);
    expect(doctor.stdout).toMatch(/failed.*is not writable/);
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

test('a merge or pick that a program left half done in the worktree is no part of the attempt', async () => {
  for (const file of ['MERGE_HEAD', 'CHERRY_PICK_HEAD']) {
    const repository = await fastRepository();
    const other = 'git -c user.name=Other -c user.email=other@localhost commit-tree -m other HEAD^{tree}';
    const script = `${raiseRate()} && ${other} > "$(git rev-parse --git-dir)/${file}"`;
    await runStudy(repository, { args: proposing(script) });
    const [parents, author, committer] = (
      await git(repository, 'log', '-1', '--format=%P%n%an%n%cn', 'refs/pawl/night/1')
    ).split('\n');
    expect([file, parents]).toEqual([file, await git(repository, 'rev-parse', 'main')]);
    expect([file, author]).toEqual([file, committer]);
  }
});
