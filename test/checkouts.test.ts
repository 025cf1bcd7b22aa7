import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listCheckouts } from '../src/engine/git/checkouts.ts';
import { openRepository } from '../src/engine/git/repository.ts';
import { createRepository, git, temporaryFolder } from './support/scaffold.ts';

const REF = 'refs/heads/autoresearch/night';

/** A repository with the branch, checked out nowhere, and a folder for a second worktree. */
async function branched(): Promise<{ readonly user: string; readonly other: string }> {
  const user = await createRepository({ 'a.txt': 'a\n' });
  await git(user, 'branch', 'autoresearch/night');
  await git(user, 'worktree', 'add', '--quiet', '--detach', join(await temporaryFolder(), 'detached'));
  return { user, other: join(await temporaryFolder(), 'other') };
}

test.each<[string, (user: string, other: string) => Promise<unknown>, 'user' | 'other' | null]>([
  ['nowhere', () => Promise.resolve(), null],
  ["in the user's checkout", user => git(user, 'checkout', '--quiet', 'autoresearch/night'), 'user'],
  [
    'in another worktree',
    (user, other) => git(user, 'worktree', 'add', '--quiet', other, 'autoresearch/night'),
    'other',
  ],
  [
    'in a worktree that is gone',
    async (user, other) => {
      await git(user, 'worktree', 'add', '--quiet', other, 'autoresearch/night');
      await rm(other, { recursive: true });
    },
    null,
  ],
  [
    'through a branch that stands for it',
    async user => {
      await git(user, 'symbolic-ref', 'refs/heads/alias', REF);
      await git(user, 'symbolic-ref', 'HEAD', 'refs/heads/alias');
    },
    'user',
  ],
  [
    'by a HEAD that is a link',
    async user => {
      await rm(join(user, '.git/HEAD'));
      await symlink(REF, join(user, '.git/HEAD'));
    },
    'user',
  ],
])('a branch is found checked out %s', async (_, check, where) => {
  const { user, other } = await branched();
  await check(user, other);
  const found = await listCheckouts(await openRepository(user), REF, '');
  expect(found).toEqual(where === null ? [] : [{ user, other }[where]]);
});

test('the worktree that asks does not count', async () => {
  const { user } = await branched();
  await git(user, 'checkout', '--quiet', 'autoresearch/night');
  expect(await listCheckouts(await openRepository(user), REF, user)).toEqual([]);
});
