import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import {
  hasContentNow,
  readAtOnce,
  readWhole,
  SMALL_BYTES,
  takeTurns,
  writeNew,
} from '../src/engine/small-files.ts';
import { temporaryFolder } from './support/scaffold.ts';

test('a pipe in the place of a file holds nobody up', async () => {
  const pipe = join(await temporaryFolder(), 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  expect(readAtOnce(pipe, 10)?.length).toBe(0);
  expect(hasContentNow(pipe, 'text')).toBe(false);
  expect(await readWhole(pipe)).toBeNull();
});

test('a link is not followed, and what is not there has no content', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), 'text');
  await symlink('file', join(folder, 'link'));
  expect(readAtOnce(join(folder, 'file'), 10)?.toString()).toBe('text');
  expect(readAtOnce(join(folder, 'link'), 10)).toBeNull();
  expect(hasContentNow(join(folder, 'link'), 'text')).toBe(false);
  expect(await readWhole(join(folder, 'gone'))).toBeNull();
});

test('only exactly the same content counts', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, 'text\n');
  expect(hasContentNow(file, 'text\n')).toBe(true);
  expect(hasContentNow(file, 'text')).toBe(false);
  expect(hasContentNow(file, 'text\nmore')).toBe(false);
});

test.each([0, 1, SMALL_BYTES, SMALL_BYTES + 1])('%i bytes are written and read whole', async bytes => {
  const file = join(await temporaryFolder(), 'file');
  const content = Buffer.alloc(bytes, 'x');
  await writeNew(file, content);
  expect((await readWhole(file))?.equals(content)).toBe(true);
  await expect(writeNew(file, content)).rejects.toMatchObject({ code: 'EEXIST' });
});

test('work that takes long lets everything else have its turn', async () => {
  const passTurn = takeTurns();
  let turns = 0;
  const other = setInterval(() => {
    turns += 1;
  });
  const until = performance.now() + 100;
  while (performance.now() < until) await passTurn();
  clearInterval(other);
  expect(turns).toBeGreaterThan(1);
});
