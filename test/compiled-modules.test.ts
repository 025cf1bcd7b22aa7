import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRepository } from '../src/engine/git/repository.ts';
import { findCompiledModules } from '../src/engine/sandbox/compiled-modules.ts';
import { pawl } from './support/pawl.ts';
import { contractFile, createRepository, git, temporaryFolder, writeFiles } from './support/scaffold.ts';

/** A checkout with compiled modules, and an environment that imports the project from its `src`. */
async function checkout() {
  const path = await createRepository({
    'train.py': 'import rates\n',
    'src/rates/__init__.py': '',
    'src/rates/_core.c': '',
    'src/rates/kept.so': 'committed',
    'pawl.toml': contractFile({ train: 'python3 train.py' }).replace('train.sh', 'src/**'),
  });
  await writeFiles(path, {
    '.venv/lib/python3.11/site-packages/rates.pth': `${path}/src\n`,
    'src/rates/_core.cpython-311-x86_64-linux-gnu.so': 'compiled',
    'src/rates/notes.txt': '',
    'src/other/_core.so': 'not a folder of the commit',
    '_core.so': 'not imported by the environment',
  });
  const commit = await git(path, 'rev-parse', 'HEAD');
  const repository = await openRepository(path);
  const find = (editable: string, train: string, environment: NodeJS.ProcessEnv = {}) =>
    findCompiledModules(repository, commit, { editable: [editable], train }, environment);
  return { path, find };
}

test('compiled modules are found beside the sources that an environment imports', async () => {
  const { find } = await checkout();
  const found = ['src/rates/_core.cpython-311-x86_64-linux-gnu.so'];
  const none = { VIRTUAL_ENV: join('/', 'none') };
  expect(await find('train.py', 'python3 train.py')).toEqual({ modules: found, editableSource: null });
  expect(await find('src/**/*.py', 'python3 train.py', none)).toEqual({
    modules: found,
    editableSource: null,
  });
  expect(await find('src/**', 'python3 train.py')).toEqual({
    modules: found,
    editableSource: 'src/rates/_core.c',
  });
});

test('a training that compiles them gets none, because it could not write over them', async () => {
  const { find } = await checkout();
  for (const build of [
    'python3 setup.py build_ext --inplace',
    'pip install -e .',
    'make',
    'cd src && maturin develop',
  ])
    expect(await find('train.py', `${build} && python3 train.py`), build).toMatchObject({ modules: [] });
  expect((await find('train.py', 'python3 makers.py')).modules).toHaveLength(1);
});

test('that a run lacks a module whose sources may be edited is told before the study', async () => {
  const { path } = await checkout();
  const { stdout } = await pawl(['doctor', path], { home: await temporaryFolder() });
  expect(stdout).toMatch(
    /_core\S*\.so was compiled in your checkout, and a run lacks it: .*src\/rates\/_core\.c/,
  );
});

test.each([
  ['in editable form without Python sources', 'editable', 'fastloss/fastloss.abi3.so', 'src/lib.rs'],
  ['as a copy', 'copy', 'fastloss/_core.abi3.so', 'src/lib.rs'],
  ['as a copy, the code in Python', 'copy', 'fastloss/_core.abi3.so', 'python/fastloss/__init__.py'],
])(
  'what maturin compiled into the environment is refused, if its source may be edited: %s',
  async (_, how, module, source) => {
    const contract = contractFile({ train: '.venv/bin/python train.py' }).replace('train.sh', source);
    const path = await createRepository({
      'train.py': 'import fastloss\n',
      'src/lib.rs': '',
      'python/fastloss/__init__.py': 'LR = 1\n',
      '.gitignore': '.venv\n',
      'pawl.toml': contract,
    });
    const site = '.venv/lib/python3.11/site-packages';
    const origin = { url: `file://${path}`, dir_info: how === 'editable' ? { editable: true } : {} };
    await writeFiles(path, {
      '.venv/pyvenv.cfg': '',
      [`${site}/fastloss-0.1.0.dist-info/direct_url.json`]: JSON.stringify(origin),
      [`${site}/fastloss-0.1.0.dist-info/RECORD`]: `fastloss/__init__.py,sha256=a,1\n${module},sha256=b,1\n`,
    });
    const { code, stdout } = await pawl(['doctor', path], { home: await temporaryFolder() });
    expect(stdout).toMatch(
      new RegExp(`failed +python environment .*${module}.* an edit of ${source} would change nothing`),
    );
    expect(code).not.toBe(0);
  },
);
