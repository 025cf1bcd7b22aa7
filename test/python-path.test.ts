import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pythonPathOf } from '../src/engine/sandbox/python-path.ts';
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
