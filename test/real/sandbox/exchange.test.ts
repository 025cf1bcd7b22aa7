import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPlaceFault } from '../../../src/engine/sandbox/exchange.ts';
import { HAS_SANDBOX, runContained } from '../../support/contained.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';

/** A home with a cache of autoresearch's data, and a folder that the contract lets in. */
async function home(): Promise<string> {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    '.cache/autoresearch/data/val.txt': 'validation\n',
    '.cache/autoresearch/data/train.txt': 'training\n',
    '.cache/autoresearch/a/first.txt': 'in a\n',
    '.cache/autoresearch/b/second.txt': 'in b\n',
    'data/val.txt': 'let in\n',
    'private/other.txt': 'elsewhere\n',
  });
  await symlink('val.txt', join(folder, 'data/link.txt'));
  return folder;
}

const CASES = [
  [
    'files of a cache of data',
    { path: '~/.cache/autoresearch/data/val.txt', other: '~/.cache/autoresearch/data/train.txt' },
    'cat ~/.cache/autoresearch/data/val.txt ~/.cache/autoresearch/data/train.txt',
    'training\nvalidation\n',
  ],
  [
    'folders of a cache of data, with the names in them',
    { path: '~/.cache/autoresearch/a', other: '~/.cache/autoresearch/b' },
    'cd ~/.cache/autoresearch; ls a b; cat a/* b/*',
    'a:\nsecond.txt\n\nb:\nfirst.txt\nin b\nin a\n',
  ],
  [
    'a file that is let in for one that no training sees',
    { path: '~/data/val.txt', other: '~/private/other.txt' },
    'cat ~/data/val.txt; ls ~/private 2>/dev/null || echo hidden',
    'elsewhere\nhidden\n',
  ],
  [
    'a file by the link that names it',
    { path: '~/data/link.txt', other: '~/private/other.txt' },
    'cat ~/data/link.txt ~/data/val.txt',
    'elsewhere\nelsewhere\n',
  ],
] as const;

test.skipIf(!HAS_SANDBOX).each(CASES)(
  'a run finds exchanged %s, and can change neither',
  async (_, swap, script, seen) => {
    const place = await home();
    const write = `for f in ~/data/val.txt ~/.cache/autoresearch/data/val.txt; do (echo no > "$f") 2>/dev/null; done; true`;
    const { stdout } = await runContained(`${script}\n${write}`, {
      ...{ home: place, sandbox: { reads: ['~/data'] }, namedData: [join(place, '.cache/autoresearch')] },
      swaps: [swap],
    });
    expect(stdout).toBe(seen);
  },
);

test('what no training may see is exchanged for nothing', async () => {
  const place = await home();
  const worktree = join(place, 'pawl', 'worktree');
  await mkdir(worktree, { recursive: true });
  await writeFiles(worktree, { 'val.txt': '', '.git': 'gitdir: elsewhere\n' });
  const secret = [join(place, '.netrc'), join(place, 'pawl')];
  const faultOf = (path: string, other: string) => findPlaceFault([{ path, other }], worktree, place, secret);
  await writeFiles(place, { '.netrc': 'secret', 'pawl/pawl.sqlite': '' });
  expect(await faultOf('val.txt', '~/data/val.txt')).toBeNull();
  for (const other of ['~/.netrc', '~/pawl/pawl.sqlite', place, '.git'])
    expect(await faultOf('val.txt', other)).toMatch(/may see/);
  expect(await faultOf('val.txt', '~/data')).toMatch(/one is a folder/);
  expect(await faultOf('val.txt', '~/none')).toMatch(/does not exist/);
});
