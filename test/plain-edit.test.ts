import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Conversions } from '../src/engine/git/conversions.ts';
import { commitPlainEdit, type PlainPlace, takeBackPlainEdit } from '../src/engine/git/plain-edit.ts';
import { openRepository } from '../src/engine/git/repository.ts';
import { areUntouched, changedPaths, WorktreeScanner } from '../src/engine/git/scan.ts';
import { commitPaths, gitIn, openWorktree, resetWorktree } from '../src/engine/git/worktree.ts';
import { Workbench } from '../src/engine/stages/edit/workbench.ts';
import { createRepository, git, temporaryFolder, writeFiles } from './support/scaffold.ts';

const FILES = {
  'train.sh': 'LR=1\n',
  'prepare.sh': 'true\n',
  'models/deep/net ü.py': 'WIDTH = 4\n',
  'models/deep/other.py': 'x = 1\n',
  'models.txt': 'one\n',
};
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada <L>.',
  GIT_AUTHOR_EMAIL: 'ada@localhost',
  GIT_COMMITTER_NAME: 'Ada <L>.',
  GIT_COMMITTER_EMAIL: 'ada@localhost',
};
const EDIT = { message: 'Raise it\n\nPawl-Experiment: 1\n', identity: IDENTITY };

type Made = PlainPlace & { readonly parent: string; readonly path: string; readonly user: string };

/** A worktree of a repository with these files, its second one a program. */
async function place(files: Readonly<Record<string, string>> = FILES, ...settings: string[]): Promise<Made> {
  const user = await createRepository(files);
  await chmod(join(user, 'train.sh'), 0o755);
  for (const setting of settings) await git(user, 'config', ...setting.split('='));
  await git(user, 'commit', '--quiet', '--all', '--allow-empty', '--message=programs');
  const repository = await openRepository(user);
  const parent = await git(user, 'rev-parse', 'HEAD');
  const folder = join(await temporaryFolder(), 'worktree');
  const { worktree } = await openWorktree(repository, folder, parent);
  await resetWorktree(worktree, parent);
  return {
    ...{ repository, worktree, parent, path: worktree.path, user },
    conversions: new Conversions(repository, worktree),
  };
}

/** What git says lies there otherwise than in HEAD: by the index of who works there, and by Pawl's own. */
async function status({ worktree, path }: Made): Promise<string> {
  const own = await gitIn(worktree, ['status', '--porcelain']);
  return (await git(path, 'status', '--porcelain')) + own.stdout.toString();
}

const describe = async ({ user }: Made, commit: string) =>
  (await git(user, 'cat-file', '-p', commit)).replaceAll(/> \d+ /g, '> time ');

test('a plain edit becomes the commit that git makes of it, and git finds nothing else changed', async () => {
  const paths = ['train.sh', 'models/deep/net ü.py', 'models.txt'];
  const made = await Promise.all(
    [true, false].map(async isPlain => {
      const at = await place();
      await writeFiles(at.path, { 'train.sh': 'LR=22\n', 'models/deep/net ü.py': '', 'models.txt': 'two\n' });
      const wanted = { ...EDIT, paths, parent: at.parent };
      const plain = isPlain ? await commitPlainEdit(at, wanted) : null;
      const commit = isPlain
        ? typeof plain === 'object' && plain?.commit
        : await commitPaths(at.worktree, { ...wanted, isPlain: true });
      if (!commit) throw new Error('it was not committed');
      expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(commit);
      expect(await status(at)).toBe('');
      expect(await git(at.path, 'diff', '--name-only', 'HEAD')).toBe('');
      await git(at.user, 'fsck', '--strict', '--no-dangling', commit);
      return (await describe(at, commit)).replace(at.parent, 'parent');
    }),
  );
  expect(made[0]).toBe(made[1]);
  expect(made[0]).toContain('author Ada L <ada@localhost> time');
});

test('a plain edit is taken back: content, rights, both indexes and HEAD are those of its parent', async () => {
  const at = await place();
  await writeFiles(at.path, { 'train.sh': 'LR=2\n', 'models/deep/net ü.py': 'WIDTH = 5\n' });
  const plain = await commitPlainEdit(at, {
    ...EDIT,
    ...{ paths: ['train.sh', 'models/deep/net ü.py'], parent: at.parent },
  });
  if (plain === null || plain === 'unchanged') throw new Error('it is a plain edit');
  await chmod(join(at.path, 'models/deep/net ü.py'), 0o600);
  expect(await takeBackPlainEdit(at, plain)).toBe(true);
  for (const path of ['train.sh', 'models/deep/net ü.py'] as const)
    expect(await readFile(join(at.path, path), 'utf8')).toBe(FILES[path]);
  const mode = async (path: string) => (await lstat(join(at.path, path))).mode & 0o777;
  expect([await mode('train.sh'), await mode('models/deep/net ü.py')]).toEqual([
    0o777 & ~process.umask(),
    0o666 & ~process.umask(),
  ]);
  expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(at.parent);
  expect(await status(at)).toBe('');
  expect(await git(at.path, 'diff', '--name-only', 'HEAD')).toBe('');
});

test('a git of somebody else that works in the worktree is in no way', async () => {
  const at = await place();
  await writeFiles(at.path, { 'train.sh': 'LR=2\n' });
  const locks = ['index.lock', 'HEAD.lock'].map(name => join(at.worktree.adminDir, name));
  for (const lock of locks) await writeFile(lock, '');
  const plain = await commitPlainEdit(at, { ...EDIT, paths: ['train.sh'], parent: at.parent });
  for (const lock of locks) await rm(lock);
  if (typeof plain !== 'object' || !plain) throw new Error('it was not committed');
  expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(plain.commit);
  expect(await status(at)).toBe('');
});

test('a small file in the place of a large one is left to git, which need not hold it in one piece', async () => {
  const at = await place({ ...FILES, 'models.txt': 'x'.repeat(4 * 1024 * 1024 + 1) });
  await writeFiles(at.path, { 'models.txt': 'small\n' });
  expect(await commitPlainEdit(at, { ...EDIT, paths: ['models.txt'], parent: at.parent })).toBeNull();
  expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(at.parent);
});

test('files that are as the parent has them make no commit', async () => {
  const at = await place();
  expect(await commitPlainEdit(at, { ...EDIT, paths: ['train.sh'], parent: at.parent })).toBe('unchanged');
});

test.each<[string, (at: Made) => Promise<unknown>, string?, string?]>([
  ['a new file', at => writeFile(join(at.path, 'new.sh'), '1\n'), 'new.sh'],
  ['a removed file', at => rm(join(at.path, 'train.sh'))],
  ['another mode', at => chmod(join(at.path, 'train.sh'), 0o644)],
  [
    'a link in place of a file',
    async at => {
      await rm(join(at.path, 'train.sh'));
      await symlink('prepare.sh', join(at.path, 'train.sh'));
    },
  ],
  ['a file in place of a folder', at => rm(join(at.path, 'models'), { recursive: true }), 'models'],
  ['attributes in the worktree', at => writeFile(join(at.path, '.gitattributes'), '*.sh text=auto\n')],
  [
    'attributes beside the file',
    at => writeFile(join(at.path, 'models/deep/.gitattributes'), '* ident\n'),
    'models/deep/other.py',
  ],
  [
    "the repository's own attributes",
    async at => {
      await mkdir(join(at.repository.gitDir, 'info'), { recursive: true });
      await writeFile(join(at.repository.gitDir, 'info/attributes'), '* filter=lfs\n');
    },
  ],
  [
    "the user's attributes",
    async at => {
      await writeFile(`${at.path}.attributes`, '* working-tree-encoding=UTF-16\n');
      await git(at.user, 'config', 'core.attributesFile', `${at.path}.attributes`);
    },
  ],
  ['an index of another kind', () => Promise.resolve(), 'train.sh', 'index.version=4'],
])('%s is left to git', async (_, change, path = 'train.sh', setting = 'core.bare=false') => {
  const at = await place(FILES, setting);
  await writeFile(join(at.path, 'train.sh'), 'LR=3\n');
  await change(at);
  const before = await status(at);
  expect(await commitPlainEdit(at, { ...EDIT, paths: [path], parent: at.parent })).toBeNull();
  expect(await status(at)).toBe(before);
  expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(at.parent);
});

test('attributes that say nothing of bytes are in no way, and new ones are noticed', async () => {
  const at = await place({ ...FILES, '.gitattributes': '*.sh diff=shell -text\n*.bin filter=lfs\n' });
  expect(await at.conversions.areNone(['train.sh', 'models.txt'])).toBe(true);
  expect(await at.conversions.areNone(['data.bin'])).toBe(false);
  await writeFile(join(at.path, '.gitattributes'), '*.sh eol=crlf\n');
  expect(await at.conversions.areNone(['train.sh'])).toBe(false);
  expect(await at.conversions.areNone(['models.txt'])).toBe(true);
});

/** A worktree in which an edit of `train.sh` is committed, ready to be trained. */
async function attempt(): Promise<Made & { readonly bench: Workbench; readonly commit: string }> {
  const made = await place();
  const { repository, parent, path } = made;
  const contract = { editable: ['train.sh', 'models.txt'], locked: null, instructions: null } as const;
  const study = { contract, preserved: [], outputs: [], writtenFolders: [], baseCommit: parent };
  const bench = new Workbench(repository, path, study as never, new AbortController().signal, null);
  await bench.checkout(parent);
  await writeFile(join(path, 'train.sh'), 'LR=2\n');
  const edit = await bench.readEdit();
  const commit = edit.kind === 'edit' ? await bench.commit(edit, parent, EDIT.message, IDENTITY) : null;
  if (commit === null) throw new Error('it is no edit');
  await bench.beginRun();
  return { ...made, bench, commit };
}

test.each<[string, (at: Made) => Promise<unknown>]>([
  ['nothing', () => Promise.resolve()],
  ['files of its own', at => writeFiles(at.path, { 'left.txt': '', 'out/model.bin': '1' })],
  ['the file it was edited in', at => writeFile(join(at.path, 'train.sh'), 'LR=9\n')],
  ['another file that may be edited', at => writeFile(join(at.path, 'models.txt'), 'own\n')],
  ['a locked file, its length kept', at => writeFile(join(at.path, 'prepare.sh'), 'trux\n')],
  ['what programs see of the commit', at => git(at.path, 'checkout', '--quiet', at.parent)],
  ['what programs see of the index', at => git(at.path, 'rm', '--cached', '--quiet', 'prepare.sh')],
])('after a training that changed %s the worktree is the incumbent again', async (_, change) => {
  const at = await attempt();
  await change(at);
  await at.bench.findTouchedLocks();
  await at.bench.checkout(at.parent);
  for (const path of ['train.sh', 'prepare.sh', 'models.txt'] as const)
    expect(await readFile(join(at.path, path), 'utf8')).toBe(FILES[path]);
  expect(await status(at)).toBe('');
  expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(at.parent);
  expect((await readdir(at.path)).sort()).toEqual(['.git', 'models', 'models.txt', 'prepare.sh', 'train.sh']);
});

test('a keep whose training left something is clean again, with the index that programs see', async () => {
  const at = await attempt();
  await writeFile(join(at.path, 'left.txt'), '');
  await git(at.path, 'rm', '--cached', '--quiet', 'prepare.sh');
  await at.bench.findTouchedLocks();
  await at.bench.checkout(at.commit);
  expect(await readFile(join(at.path, 'train.sh'), 'utf8')).toBe('LR=2\n');
  expect(await status(at)).toBe('');
  expect(await git(at.path, 'rev-parse', 'HEAD')).toBe(at.commit);
});

test('a file whose rights changed was touched, although git stores the same of it', async () => {
  const { path } = await place();
  const wanted = { isEditable: () => false, isNamedLocked: () => false, mayHold: () => false };
  const scanner = new WorktreeScanner(path, wanted);
  const layout = { tracked: new Set(Object.keys(FILES)), skip: new Set<string>() };
  const look = async () => (await scanner.scan(layout)).files;
  const before = await look();
  expect(areUntouched(before, await look())).toBe(true);
  await chmod(join(path, 'prepare.sh'), 0o606);
  const after = await look();
  expect(changedPaths(before, after)).toEqual([]);
  expect(areUntouched(before, after)).toBe(false);
});
