import { existsSync } from 'node:fs';
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attemptRef, branchRef, createRef, moveRef, removeTag } from '../src/engine/git/refs.ts';
import { openRepository, type Repository, readRef } from '../src/engine/git/repository.ts';
import { createRepository, git } from './support/scaffold.ts';

const BRANCH = branchRef('night');
const ATTEMPT = attemptRef('night', 1, 0);
const PATIENCE = { staleMs: 300, pause: () => delay(10) };
/** Waits for ever, with this as what happens meanwhile. */
const meanwhile = (pause: () => Promise<void>) => ({ staleMs: 600_000, pause });
const never = meanwhile(() => Promise.reject(new Error('it waited')));

/** A repository with two commits and the lock that a git which was killed leaves on a ref, or on all of them. */
async function locked(name: string): Promise<{
  readonly repository: Repository;
  readonly first: string;
  readonly second: string;
  readonly lock: string;
}> {
  const path = await createRepository({ 'a.txt': 'a\n' });
  await git(path, 'commit', '--quiet', '--allow-empty', '--message=second');
  const repository = await openRepository(path);
  await git(path, 'update-ref', BRANCH, 'HEAD~');
  const lock = join(repository.gitDir, `${name}.lock`);
  await mkdir(dirname(lock), { recursive: true });
  await writeFile(lock, '');
  const [first, second] = [await git(path, 'rev-parse', 'HEAD~'), await git(path, 'rev-parse', 'HEAD')];
  return { repository, first, second, lock };
}

const age = (lock: string, seconds: number) => {
  const then = new Date(Date.now() - seconds * 1_000);
  return utimes(lock, then, then);
};

test('a lock that has stood on a ref of a study longer than any git works is removed at once', async () => {
  const { repository, first, second, lock } = await locked(BRANCH);
  await age(lock, 3_600);
  expect(await moveRef(repository, BRANCH, first, second, { ...never, staleMs: 60_000 })).toBe(true);
  expect(await readRef(repository, BRANCH)).toBe(second);
  expect(existsSync(lock)).toBe(false);
});

test('a new lock on a ref of a study is removed once it has stood for too long, whatever the clock says', async () => {
  const { repository, second, lock } = await locked(ATTEMPT);
  await age(lock, -3_600);
  const began = performance.now();
  expect(await createRef(repository, ATTEMPT, second, PATIENCE)).toBe(true);
  expect(performance.now() - began).toBeGreaterThanOrEqual(PATIENCE.staleMs);
  expect(await readRef(repository, ATTEMPT)).toBe(second);
});

test('a tag is removed in spite of a lock on one of its refs', async () => {
  const { repository, second } = await locked(BRANCH);
  await git(repository.path, 'update-ref', ATTEMPT, second);
  await removeTag(repository, 'night', PATIENCE);
  expect(await git(repository.path, 'for-each-ref', 'refs/heads/autoresearch', 'refs/pawl')).toBe('');
});

test('a lock that goes after a moment is waited for', async () => {
  const { repository, first, second, lock } = await locked(BRANCH);
  const gone = meanwhile(() => rm(lock));
  expect(await moveRef(repository, BRANCH, first, second, gone)).toBe(true);
});

test('what another git did to the ref while it held the lock is seen', async () => {
  const { repository, first, second, lock } = await locked(BRANCH);
  const third = await git(repository.path, 'commit-tree', '-m', 'third', 'HEAD^{tree}');
  // As git does it: the new content is in the lock, which becomes the ref.
  const renamed = meanwhile(async () => {
    await writeFile(lock, `${third}\n`);
    await rename(lock, join(repository.gitDir, BRANCH));
  });
  expect(await moveRef(repository, BRANCH, first, second, renamed)).toBe(false);
  expect(await readRef(repository, BRANCH)).toBe(third);
});

test("a lock on a branch of the user's is waited for, never removed, and named with what to do", async () => {
  const { repository, second, lock } = await locked('refs/heads/mine');
  await age(lock, 3_600);
  await expect(createRef(repository, 'refs/heads/mine', second, PATIENCE)).rejects.toMatchObject({
    code: 'git_failed',
    message: expect.stringMatching(/refs\/heads\/mine\.lock.*Delete it if no git is running/),
  });
  expect(existsSync(lock)).toBe(true);
  const gone = meanwhile(() => rm(lock));
  expect(await createRef(repository, 'refs/heads/mine', second, gone)).toBe(true);
});

test('a folder where a lock would be is not removed', async () => {
  const { repository, first, second, lock } = await locked(BRANCH);
  await rm(lock);
  await mkdir(lock);
  await expect(moveRef(repository, BRANCH, first, second, PATIENCE)).rejects.toMatchObject({
    message: expect.stringContaining(lock),
  });
  expect(existsSync(lock)).toBe(true);
});

test('the locks that a dead git left on what all refs share are no obstacle and stay', async () => {
  const { repository, first, second, lock } = await locked('packed-refs');
  const others = ['config.lock', 'index.lock', 'HEAD.lock', 'shallow.lock'].map(name =>
    join(repository.gitDir, name),
  );
  for (const other of others) await writeFile(other, '');
  expect(await moveRef(repository, BRANCH, first, second, PATIENCE)).toBe(true);
  expect(await createRef(repository, ATTEMPT, second, PATIENCE)).toBe(true);
  expect([lock, ...others].map(path => existsSync(path))).toEqual([lock, ...others].map(() => true));
});
