import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, pythonPathOf } from '../src/engine/sandbox/python-path.ts';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

/** An environment with a file in its `site-packages`, and a worktree that has the project in `src`. */
async function project(name: string, text: (checkout: string) => string) {
  const folder = await temporaryFolder();
  const checkout = join(folder, 'repo');
  const files = join(folder, 'worktree');
  const venv = join(checkout, '.venv');
  await writeFiles(files, { 'src/p/__init__.py': '', 'q.py': '' });
  await writeFiles(join(venv, 'lib/python3.11/site-packages'), { [name]: text(checkout) });
  return { folder, checkout, venv, worktree: { files, shownAt: '/shown' } };
}

test.each<readonly [string, string, (checkout: string) => string, readonly string[]]>([
  ['a path file', '_p.pth', checkout => `${checkout}/src\n`, ['src']],
  ['one that names the checkout itself', 'p.pth', checkout => `${checkout}\r\n`, ['']],
  ['two lines of one', 'p.pth', checkout => `${checkout}/src\nimport sys\n${checkout}\n`, ['src', '']],
  [
    'a finder of setuptools',
    '__editable___p_0_1_finder.py',
    checkout => `MAPPING: dict[str, str] = {'p': '${checkout}/src/p', "q": "${checkout}/q"}\n`,
    ['src', ''],
  ],
  [
    'a finder with a package in another',
    '__editable___p_0_1_finder.py',
    checkout => `MAPPING = {'p.sub': '${checkout}/src/p/sub', 'q': '${checkout}/q.py'}\n`,
    ['src', ''],
  ],
  [
    'a finder with a package of another name',
    '__editable___p_0_1_finder.py',
    checkout => `MAPPING = {'other': '${checkout}/src/p'}\n`,
    [],
  ],
  ['what the worktree has not', 'p.pth', checkout => `${checkout}/build/lib\n`, []],
  ['another repository', 'p.pth', checkout => `${checkout}-2/src\n/elsewhere\n`, []],
  ['something else', 'p.py', checkout => `'${checkout}/src/p'\n`, []],
])(
  'what is installed from the checkout is imported from the worktree: %s',
  async (_, name, text, folders) => {
    const { checkout, worktree, venv } = await project(name, text);
    const expected = folders.map(folder => join('/shown', folder));
    const found = pythonPathOf(undefined, [venv], checkout, worktree);
    expect(found).toBe(expected.length === 0 ? undefined : expected.join(':'));
  },
);

test('of the user’s own PYTHONPATH what lies in the checkout is the worktree’s, and the rest stays', async () => {
  const { folder, checkout, worktree, venv } = await project('p.pth', path => `${path}/src`);
  const own = ['', `${checkout}/src/`, `${checkout}/vendor`, `${folder}/repo-2/src`, 'src'].join(':');
  expect(pythonPathOf(own, [venv, join(folder, 'none')], checkout, worktree)).toBe(
    ['/shown/src', '', `${checkout}/vendor`, `${folder}/repo-2/src`, 'src'].join(':'),
  );
  // Python takes an empty one for none.
  expect(pythonPathOf('', [], checkout, worktree)).toBeUndefined();
  expect(pythonPathOf('', [venv], checkout, worktree)).toBe('/shown/src');
});

test('a link that leads out of the worktree is not followed', async () => {
  const { folder, checkout, worktree, venv } = await project('p.pth', path => `${path}/lib\n${path}/alias`);
  await mkdir(join(folder, 'secrets'));
  await symlink('../secrets', join(worktree.files, 'lib'));
  await symlink('src', join(worktree.files, 'alias'));
  expect(pythonPathOf(`${checkout}/lib`, [venv], checkout, worktree)).toBe(`/shown/alias:${checkout}/lib`);
});

const PYPROJECT = '[project]\nname = "P.x"\n';
const record = (folder: string, isEditable: boolean, ...files: readonly string[]) => ({
  'p_x-1.dist-info/direct_url.json': `{"url": "file://${folder}", "dir_info": {"editable": ${isEditable}}}`,
  'p_x-1.dist-info/RECORD': [
    '../../../bin/p,sha256=a,1',
    'p_x-1.dist-info/RECORD,,',
    ...files.map(path => `${path},sha256=a,1`),
  ].join('\n'),
});

/** An environment of the checkout in which the project was installed from another folder. */
async function installed(
  files: (checkout: string) => Readonly<Record<string, string>>,
  pyproject = PYPROJECT,
): Promise<string | undefined> {
  const { checkout, venv, worktree } = await project('none', () => '');
  await writeFiles(worktree.files, { 'pyproject.toml': pyproject });
  await writeFiles(join(venv, 'lib/python3.11/site-packages'), files(checkout));
  return pythonPathOf(undefined, [venv], checkout, worktree);
}

test('what was installed from another checkout of the project is imported from the worktree', async () => {
  const moved = { ...record('/was/here', true, '_p.pth'), '_p.pth': '/was/here/src' };
  expect(await installed(() => moved)).toBe('/shown/src');
  // Another project may be imported from where it is.
  expect(await installed(() => moved, '[project]\nname = "other"\n')).toBeUndefined();
  expect(await installed(() => moved, 'broken')).toBeUndefined();
});

test('a copy is imported from the worktree if the worktree has all of its files', async () => {
  const copy =
    (...more: readonly string[]) =>
    (checkout: string) =>
      record(checkout, false, 'p/__init__.py', ...more);
  expect(await installed(copy())).toBe('/shown/src');
  expect(await installed(copy('p/__pycache__/__init__.cpython-311.pyc'))).toBe('/shown/src');
  expect(await installed(copy('p/_core.cpython-311-x86_64-linux-gnu.so'))).toBeUndefined();
  expect(await installed(() => record('/was/here', false, 'q.py'))).toBe('/shown');
});

test.each([
  [
    'meson-python',
    '_p_x_editable_loader.py',
    '_p_x-editable.pth',
    'import _p_x_editable_loader; _p_x_editable_loader.init()',
  ],
  ['scikit-build-core', '_editable_skbc_p_x.py', '_editable_skbc_p_x.pth', 'import _editable_skbc_p_x'],
])('nothing can stand in for what the loader of %s imports', async (_, loader, path, line) => {
  const { checkout, venv } = await project(path, () => line);
  await writeFiles(join(venv, 'lib/python3.11/site-packages'), record(checkout, true, loader, path));
  const [found, ...others] = importsOf(venv, checkout, { project: 'p_x', has: () => true });
  expect(found).toMatchObject({ folder: null, fault: `${loader} loads p_x from where it was installed` });
  expect(found?.sources).toContain('src/p_x');
  expect(others).toEqual([]);
});
