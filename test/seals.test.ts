import { expect, test } from 'vitest';
import { mayMatchBelow } from '../src/engine/contract/editable.ts';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { heldFolders, MAX_SEALS, MAX_SINGLE_SEALS, planSeals } from '../src/engine/sandbox/seals.ts';
import { findSealedPath } from '../src/engine/stages/train/sealed-path.ts';
import { contractFile } from './support/scaffold.ts';

const plan = (
  locked: readonly string[],
  { unlocked = ['train.py'], written = [] as readonly string[] | null, writes = ['train.py'] } = {},
) => planSeals({ locked, unlocked, writtenFolders: written, mayBeWritten: mayMatchBelow(writes) });

test('a folder of locked files that nobody writes in is sealed as one, its own folders with it', () => {
  const locked = ['prepare.py', 'lib/a.py', 'lib/deep/b.py', 'lib/deep/c.bin', 'data/val.bin'];
  expect(plan(locked)).toEqual({ folders: ['lib', 'data'], files: ['prepare.py'] });
});

test('where the baseline made something files are sealed singly, and the folders below as one', () => {
  const locked = ['lib/a.py', 'lib/deep/b.py', 'lib/deep/c.py'];
  expect(plan(locked, { written: ['lib'] })).toEqual({ folders: ['lib/deep'], files: ['lib/a.py'] });
  expect(plan(locked, { written: ['lib/deep'] })).toEqual({ folders: [], files: locked });
});

test.each([
  ['an editable file may be made below', { writes: ['lib/**/*.yaml'] }],
  ['another tracked file may be changed there', { unlocked: ['lib/deep/results.tsv'] }],
  ['the contract lets it be written', { writes: ['train.py', 'lib/deep/out'] }],
])('a folder stays open where %s', (_, options) => {
  expect(plan(['lib/a.py', 'lib/deep/b.py', 'other/c.py'], options)).toEqual({
    folders: ['other'],
    files: ['lib/a.py', 'lib/deep/b.py'],
  });
});

test('a folder that a mark alone keeps in git is one to be written in', () => {
  for (const mark of ['.gitkeep', '.keep', '.gitignore'])
    expect(plan([`out/${mark}`])).toEqual({ folders: [], files: [`out/${mark}`] });
});

test('before the baseline was seen the nearest files are sealed singly', () => {
  const locked = Array.from({ length: 80 }, (_, at) => `lib/${at}.py`);
  const { folders, files } = plan([...locked, 'prepare.py'], { written: null });
  expect([folders, files[0], files.length]).toEqual([[], 'prepare.py', MAX_SINGLE_SEALS]);
});

test('500 files in 20 folders are 20 seals, and never more than the bound', () => {
  const locked = Array.from({ length: 500 }, (_, at) => `lib${at % 20}/${at}.py`);
  expect(plan(locked).folders).toHaveLength(20);
  expect(plan(locked).files).toEqual([]);
  const written = Array.from({ length: 20 }, (_, at) => `lib${at}`);
  expect(plan(locked, { written }).files).toHaveLength(MAX_SEALS);
});

test('however many folders there are, the files that the baseline found sealed stay sealed', () => {
  const locked = ['prepare.py', ...Array.from({ length: 3_000 }, (_, at) => `lib${at}/x.py`)];
  const { folders, files } = plan(locked);
  expect(files[0]).toBe('prepare.py');
  expect(folders.length + files.length).toBeLessThanOrEqual(MAX_SEALS);
  expect(folders.length).toBeGreaterThanOrEqual(MAX_SEALS - MAX_SINGLE_SEALS);
});

test('no folder around a seal can be moved away', () => {
  expect(heldFolders({ folders: ['a/b/c'], files: ['d/e.py', 'out/.gitkeep'] })).toEqual(['a', 'd', 'a/b']);
});

const SEALS = { folders: ['lib'], files: ['prepare.py', 'val.csv'] };

test.each([
  [
    "OSError: [Errno 30] Read-only file system: 'lib/made'",
    /wrote to lib\/made, but lib.*writes = \["lib"\]/,
  ],
  ["OSError: [Errno 30] Read-only file system: '/work tree/lib/deep/made'", /writes = \["lib\/deep"\]/],
  ['sh: 1: cannot create lib/made: Read-only file system', /wrote to lib\/made/],
  ["touch: cannot touch 'lib/made': Read-only file system", /wrote to lib\/made/],
  ['touch: cannot touch ‘lib/made’: Read-only file system', /wrote to lib\/made/],
  ["OSError: [Errno 30] Read-only file system: 'prepare.py'", /wrote to prepare\.py, which is locked\.$/],
  [
    "OSError: [Errno 30] Read-only file system: 'val.csv'",
    /val\.csv, which is locked\. If .*contract\.locked/,
  ],
])('%s is said as what it is', (line, message) => {
  const contract = parsePawlToml(contractFile(), 'pawl.toml');
  const crash = { class: 'exception', message: line, tail: ['Traceback', line] } as const;
  expect(findSealedPath(crash, SEALS, '/work tree', contract)).toMatchObject({
    class: 'sealed_path',
    message: expect.stringMatching(message),
    tail: crash.tail,
  });
});

test.each([
  ['another place was read-only', "OSError: [Errno 30] Read-only file system: '/usr/lib/x'", SEALS],
  ['it ended for another reason', "ValueError: 'lib/made'", SEALS],
  ['nothing contained it', "OSError: [Errno 30] Read-only file system: 'lib/made'", undefined],
])('where %s it stays what it was', (_, message, seals) => {
  const contract = parsePawlToml(contractFile(), 'pawl.toml');
  expect(findSealedPath({ class: 'exception', message, tail: [] }, seals, '/work tree', contract)).toBeNull();
});
