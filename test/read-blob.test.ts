import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRepository, readBlob } from '../src/engine/git/repository.ts';
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
    const isReader = command.includes(`--git-dir\0${gitDir}\0cat-file\0--batch\0`);
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
