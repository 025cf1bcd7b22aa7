import { chmod, lstat, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratch, removeScratch } from '../src/engine/scratch.ts';
import { temporaryFolder } from './support/scaffold.ts';

test('a scratch folder is removed whatever rights were taken away in it', async () => {
  const root = join(await temporaryFolder(), 'scratch');
  const folder = await makeScratch(root, 'agent');
  await mkdir(join(folder, 'a', 'b', 'c'), { recursive: true });
  await writeFile(join(folder, 'a', 'b', 'file'), '');
  await chmod(join(folder, 'a', 'b'), 0);
  await chmod(join(folder, 'a'), 0);
  await removeScratch(folder);
  expect(await readdir(root)).toEqual([]);
});

test('a link in its place is followed nowhere', async () => {
  const home = await temporaryFolder();
  const other = join(home, 'other');
  await mkdir(join(other, 'inner'), { recursive: true });
  await chmod(join(other, 'inner'), 0o755);
  const root = join(home, 'scratch');
  await symlink(other, root);
  await removeScratch(root);
  expect((await stat(join(other, 'inner'))).mode & 0o777).toBe(0o755);
  await expect(makeScratch(root, 'agent')).rejects.toMatchObject({ code: 'usage' });
  expect((await lstat(root)).isSymbolicLink()).toBe(true);
});

test('a place where nothing can be made is said, with what to do', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  await expect(makeScratch(join(file, 'scratch'), 'agent')).rejects.toMatchObject({
    ...{ code: 'usage', message: expect.stringContaining('set TMPDIR to a folder you own') },
  });
});
