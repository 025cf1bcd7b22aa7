import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findInstallFrom } from '../src/engine/sandbox/shared-install.ts';
import { temporaryFolder } from './support/scaffold.ts';

test.each([
  ['a path file', '_project.pth', '/data/worktrees/night/src\n'],
  [
    'a finder of editable installs',
    '__editable___project_0_1_finder.py',
    "MAPPING = {'p': '/data/worktrees/night/src/p'}",
  ],
  ['a direct URL', 'project-0.1.dist-info/direct_url.json', '{"url": "file:///data/worktrees/night"}'],
])('code that is installed from a folder is found by %s', async (_, name, text) => {
  const venv = await temporaryFolder();
  const path = join(venv, 'lib/python3.11/site-packages', name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  expect(await findInstallFrom(venv, '/data/worktrees/night')).toBe(name.split('/').at(-1));
  expect(await findInstallFrom(venv, '/data/worktrees/other')).toBeNull();
});

test('an environment that is not there leads nowhere', async () => {
  expect(await findInstallFrom(join(await temporaryFolder(), 'venv'), '/data')).toBeNull();
});
