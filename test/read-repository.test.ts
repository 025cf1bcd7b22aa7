import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBlobs } from '../src/engine/git/read-blobs.ts';
import { readTrees } from '../src/engine/git/read-trees.ts';
import {
  blobBytes,
  openRepository,
  readBlob,
  readBranch,
  readHeadCommit,
  readRef,
  readUser,
} from '../src/engine/git/repository.ts';
import { killIfThere, lives } from './support/processes.ts';
import { createRepository, git, temporaryFolder } from './support/scaffold.ts';
import { until } from './support/until.ts';

/** Longer than what a pipe holds. */
const LONG = randomBytes(3_000_000);
const FILES = {
  'a.txt': 'one\n',
  'with space': ' two',
  'bytes.bin': Buffer.from([0, 10, 255, 10]),
  empty: '',
  long: LONG,
  'odd\nname': 'three',
  'ö/é.txt': 'four',
};

async function repositoryWith(files: Readonly<Record<string, string | Buffer>>) {
  const folder = join(await temporaryFolder(), 'repo');
  const path = await createRepository(files, folder);
  return { path, repository: await openRepository(path), commit: await git(path, 'rev-parse', 'HEAD') };
}

test('files of a commit are read byte for byte, and what is no file is none', async () => {
  const { path, repository, commit } = await repositoryWith(FILES);
  for (const [name, content] of Object.entries(FILES)) {
    const found = await readBlob(repository, commit, name);
    expect(found?.equals(Buffer.from(content)), name).toBe(true);
  }
  for (const name of ['ö', 'missing', 'a.txt/b', '']) {
    expect(await readBlob(repository, commit, name), name).toBeNull();
  }
  expect(await readBlob(repository, '1'.repeat(40), 'a.txt')).toBeNull();
  // What a name that is no id means can change.
  expect(await readBlob(repository, 'HEAD', 'a.txt')).toEqual(Buffer.from('one\n'));
  await symlink('a.txt', join(path, 'link'));
  await git(path, 'add', 'link');
  await git(path, 'update-index', '--add', '--cacheinfo', `160000,${commit},submodule`);
  await git(path, 'rm', '--quiet', 'a.txt');
  await git(path, 'commit', '--quiet', '--message=more');
  const later = await git(path, 'rev-parse', 'HEAD');
  expect(await readBlob(repository, later, 'link')).toEqual(Buffer.from('a.txt'));
  expect(await readBlob(repository, later, 'submodule')).toBeNull();
  expect(await readBlob(repository, 'HEAD', 'a.txt')).toBeNull();
});

/** The git that stays with the repository to read its objects. */
async function findReader(gitDir: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    const isReader = command.includes(`--git-dir\0${gitDir}\0cat-file\0--batch-command\0`);
    if (isReader && (await lives(name))) found.push(Number(name));
  }
  return found;
}

test('one process reads them all, and another one where it was killed', async () => {
  const { repository, commit } = await repositoryWith({ a: '1', b: '2', c: '3' });
  expect(String(await readBlob(repository, commit, 'a'))).toBe('1');
  const readers = await findReader(repository.gitDir);
  expect(readers).toHaveLength(1);
  // A git that is started now finds no repository.
  await rename(join(repository.gitDir, 'HEAD'), join(repository.gitDir, 'HEAD.away'));
  expect(String(await readBlob(repository, commit, 'b'))).toBe('2');
  await rename(join(repository.gitDir, 'HEAD.away'), join(repository.gitDir, 'HEAD'));
  for (const reader of readers) killIfThere(reader);
  await until(async () => (await findReader(repository.gitDir)).length === 0);
  expect(String(await readBlob(repository, commit, 'c'))).toBe('3');
});

test('many files are read with one request, whatever their names, and too many bytes are refused', async () => {
  const { repository, commit } = await repositoryWith(FILES);
  const paths = ['long', 'missing\nhere', 'odd\nname', 'ö', 'bytes.bin', 'missing', 'empty', 'long'];
  const found = await readBlobs(
    repository,
    paths.map(path => ({ commit, path })),
  );
  const wanted = new Map<string, string | Buffer>(Object.entries(FILES));
  expect(found.map(bytes => bytes?.toString('latin1') ?? null)).toEqual(
    paths.map(path => {
      const content = wanted.get(path);
      return content === undefined ? null : Buffer.from(content).toString('latin1');
    }),
  );
  for (const [path, content] of Object.entries(FILES))
    expect(await blobBytes(repository, commit, path)).toBe(Buffer.byteLength(content));
  for (const path of ['ö', 'missing\nhere', '']) expect(await blobBytes(repository, commit, path)).toBeNull();
  const both = ['a.txt', 'with space'].map(path => ({ commit, path }));
  expect(await readBlobs(repository, both, 4, 8)).toHaveLength(2);
  await expect(readBlobs(repository, both, 4, 7)).rejects.toMatchObject({ code: 'git_failed' });
  expect(await readBlobs(repository, [{ commit, path: 'missing' }])).toEqual([null]);
  // The process that refused answers what comes next.
  expect(await readBlobs(repository, both.slice(1), 4, 7)).toEqual([Buffer.from(' two')]);
  // What is not read does not count, nor what several files have in common.
  expect(await readBlobs(repository, [{ commit, path: 'long' }, ...both], 3, 7)).toEqual([null, null, null]);
  expect(await readBlobs(repository, [...both, ...both], 4, 8)).toHaveLength(4);
});

test('a name that git cannot have is none, and no request of its own', async () => {
  const { repository, commit } = await repositoryWith({ a: '1', b: '2' });
  // `spellPath` gives such names to files whose names are not UTF-8.
  const odd = '\u0000626164ff';
  const names = ['a', odd, `${odd}/x`, 'b'].map(path => ({ commit, path }));
  expect(await readBlobs(repository, names)).toEqual([Buffer.from('1'), null, null, Buffer.from('2')]);
  const readers = await findReader(repository.gitDir);
  expect(await readBlob(repository, commit, odd)).toBeNull();
  expect(await blobBytes(repository, commit, odd)).toBeNull();
  expect(await readRef(repository, `HEAD\0info ${commit}:a`)).toBeNull();
  expect(await blobBytes(repository, commit, `\0contents ${commit}:b`)).toBeNull();
  expect(await readBlobs(repository, names.slice(0, 1))).toEqual([Buffer.from('1')]);
  expect(await findReader(repository.gitDir)).toEqual(readers);
});

test('refs are read as they are now, although the process that reads them stays', async () => {
  const { path, repository, commit: first } = await repositoryWith({ a: '1' });
  expect(await readRef(repository, 'refs/heads/main')).toBe(first);
  expect(await readRef(repository, 'refs/heads/other')).toBeNull();
  const readers = await findReader(repository.gitDir);
  await git(path, 'branch', 'other');
  await git(path, 'commit', '--quiet', '--allow-empty', '--message=second');
  const second = await git(path, 'rev-parse', 'HEAD');
  expect(await readRef(repository, 'HEAD')).toBe(second);
  expect(await readRef(repository, 'refs/heads/other')).toBe(first);
  await git(path, 'pack-refs', '--all');
  await git(path, 'gc', '--quiet');
  await git(path, 'branch', '--force', 'other', second);
  expect(await readRef(repository, 'refs/heads/other')).toBe(second);
  await git(path, 'branch', '--quiet', '-D', 'other');
  expect(await readRef(repository, 'refs/heads/other')).toBeNull();
  // A tree is no commit, a tag of a commit is.
  const tree = await git(path, 'rev-parse', `${second}^{tree}`);
  await git(path, 'update-ref', 'refs/trees/one', tree);
  await git(path, 'tag', '--annotate', '--message=tag', 'v1');
  expect(await readRef(repository, 'refs/trees/one')).toBeNull();
  expect(await readRef(repository, 'refs/tags/v1')).toBe(second);
  const missing = '2'.repeat(40);
  expect(await readTrees(repository, [first, missing, second])).toEqual(
    new Map([
      [first, tree],
      [second, tree],
    ]),
  );
  expect(await findReader(repository.gitDir)).toEqual(readers);
});

test('a repository is found again as it is now', async () => {
  const { path } = await repositoryWith({ a: '1', 'in/b': '2' });
  const found = await openRepository(path);
  expect(await openRepository(path)).toEqual(found);
  expect(await openRepository(join(path, 'in'))).toEqual(found);
  // A repository of its own inside of one.
  const inner = await createRepository({ c: '3' }, join(path, 'in'));
  expect(await openRepository(inner)).toEqual({ path: inner, gitDir: join(inner, '.git') });
  await rm(join(inner, '.git'), { recursive: true });
  expect(await openRepository(inner)).toEqual(found);
  // What the settings say counts as soon as it is said.
  await git(path, 'config', 'core.bare', 'true');
  await expect(openRepository(path)).rejects.toMatchObject({ code: 'not_a_repository' });
  await git(path, 'config', 'core.bare', 'false');
  expect(await openRepository(path)).toEqual(found);
  await rename(join(path, '.git'), join(path, 'away'));
  await expect(openRepository(path)).rejects.toMatchObject({ code: 'not_a_repository' });
});

test('nothing is known of a repository that lay where another one lies now', async () => {
  const { path, repository, commit } = await repositoryWith({ a: '1' });
  await git(path, 'gc', '--quiet');
  expect(await readRef(repository, commit)).toBe(commit);
  await rm(path, { recursive: true });
  const other = await createRepository({ b: '2' }, path);
  expect(await readRef(await openRepository(other), commit)).toBeNull();
  // Objects can also come from another folder.
  const lender = await repositoryWith({ c: '3' });
  expect(await readRef(repository, lender.commit)).toBeNull();
  const alternates = join(repository.gitDir, 'objects/info/alternates');
  await writeFile(alternates, `${join(lender.repository.gitDir, 'objects')}\n`);
  expect(await readRef(await openRepository(path), lender.commit)).toBe(lender.commit);
});

test('the HEAD of a linked worktree is its own', async () => {
  const { path, commit } = await repositoryWith({ a: '1' });
  const linked = join(await temporaryFolder(), 'linked');
  await git(path, 'worktree', 'add', '--quiet', '-b', 'some/side', linked);
  const repository = await openRepository(linked);
  expect(await readHeadCommit(repository)).toBe(commit);
  await git(linked, 'commit', '--quiet', '--allow-empty', '--message=side');
  const side = await git(linked, 'rev-parse', 'HEAD');
  expect(await readHeadCommit(repository)).toBe(side);
  expect(await readBranch(repository)).toBe('some/side');
  expect(await readHeadCommit(await openRepository(path))).toBe(commit);
  expect(await readBranch(await openRepository(path))).toBe('main');
  await git(linked, 'checkout', '--quiet', '--detach');
  expect(await readBranch(repository)).toBeNull();
  // The repository itself may have no checkout.
  const bare = join(await temporaryFolder(), 'bare');
  await git(path, 'clone', '--quiet', '--bare', path, bare);
  await git(bare, 'worktree', 'add', '--quiet', join(bare, 'tree'), 'some/side');
  expect(await readHeadCommit(await openRepository(join(bare, 'tree')))).toBe(side);
  // A folder of git's that lies elsewhere is no other worktree's.
  const elsewhere = join(await temporaryFolder(), 'elsewhere.git');
  await git(path, 'init', '--quiet', `--separate-git-dir=${elsewhere}`);
  expect(await readHeadCommit(await openRepository(path))).toBe(commit);
});

test('the name and e-mail for commits are the last ones set', async () => {
  const { path, repository } = await repositoryWith({ a: '1' });
  await git(path, 'config', 'user.name', 'Ada\nLovelace ');
  await git(path, 'config', 'user.email', 'old@localhost');
  await git(path, 'config', '--add', 'user.email', 'ada@localhost');
  expect(await readUser(repository)).toEqual({ name: 'Ada\nLovelace', email: 'ada@localhost' });
  await git(path, 'config', 'user.name', '');
  expect(await readUser(repository)).toBeNull();
});
