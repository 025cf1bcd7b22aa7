import { execFile } from 'node:child_process';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PYTHON, type Seen, study } from '../../support/environment-study.ts';
import { pawl } from '../../support/pawl.ts';
import { contractFile, createRepository, temporaryFolder, writeFiles } from '../../support/scaffold.ts';

/**
 * Projects and packages that real installers put into real environments, and environments that were moved or copied: a run imports the
 * attempt's code, or there is no run.
 */

const run = promisify(execFile);
const PROGRAMS = process.env.PAWL_REAL_PROGRAMS ?? '';
const UV = join(PROGRAMS, 'bin', 'uv');
const QUIET = { ...process.env, UV_PYTHON_DOWNLOADS: 'never', UV_OFFLINE: '1' };

const pyproject = (more = '') => `[project]
name = "rates"
version = "0"
requires-python = ">=3.9"
[project.scripts]
rates-train = "rates:main"
[build-system]
requires = ["uv_build>=0.13,<0.14"]
build-backend = "uv_build"
${more}`;
const MODULE = 'LR = 2\n\n\ndef main():\n    print(f"val_bpb: {LR}")\n';

/** A repository whose editable code is the package `rates`. */
function project(train: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  return createRepository({
    'pyproject.toml': pyproject(),
    'src/rates/__init__.py': MODULE,
    'train.py': 'from rates import main\nmain()\n',
    '.gitignore': '.venv\n*.so\n',
    'pawl.toml': contractFile({ train, limitSeconds: 120 }).replace('"train.sh"', '"src/rates/__init__.py"'),
    ...files,
  });
}

async function venv(checkout: string): Promise<string> {
  const folder = join(checkout, '.venv');
  await run(PYTHON, ['-m', 'venv', '--without-pip', folder]);
  return folder;
}

const install = (folder: string, cwd: string, ...args: readonly string[]) =>
  run(UV, ['pip', 'install', '--quiet', '--python', join(folder, 'bin', 'python'), ...args], {
    cwd,
    env: QUIET,
  });

const SETUPTOOLS = `[project]
name = "rates"
version = "0"
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
packages = ["rates"]
`;

/** In editable form, with the setuptools of these tests. */
async function installBySetuptools(folder: string, cwd: string): Promise<void> {
  const where = 'import setuptools; print(setuptools.__path__[0])';
  const { stdout } = await run(join(PROGRAMS, 'bin', 'python'), ['-c', where]);
  const env = { ...QUIET, PYTHONPATH: join(stdout.trim(), '..') };
  const python = join(folder, 'bin', 'python');
  await run(UV, ['pip', 'install', '--python', python, '--no-build-isolation', '--editable', '.'], {
    cwd,
    env,
  });
}

/** One experiment after the baseline, in the sandbox. */
const night = (repository: string) =>
  study('user', { repository, experiments: 1, env: { PAWL_SANDBOX: 'required', PAWL_VERDICT: 'greedy' } });

function expectAttempt(seen: Seen): void {
  expect(seen, seen.stderr).toMatchObject({ code: 0, contained: [true, true] });
  expect(seen.log).toMatch(/^val_bpb: (?!2\b)\d/m);
}

function expectRefusal(seen: Seen, sentence: RegExp): void {
  expect(seen.stderr).toMatch(sentence);
  expect(seen).toMatchObject({ code: 2, contained: [] });
}

test('of a project that was installed as a copy the attempt’s code is imported', async () => {
  const repository = await project('.venv/bin/python train.py');
  await install(await venv(repository), repository, '.');
  expectAttempt(await night(repository));
});

test('a script that an installer wrote runs the attempt’s code', async () => {
  const repository = await project('.venv/bin/rates-train');
  await install(await venv(repository), repository, '--editable', '.');
  expectAttempt(await night(repository));
});

test('a copy with a compiled part is refused, unless nothing of it may be edited', async () => {
  const train = '.venv/bin/python train.py';
  const compiled = async (files: Readonly<Record<string, string>> = {}) => {
    const repository = await project(train, files);
    await writeFile(join(repository, 'src', 'rates', '_core.so'), 'compiled');
    await install(await venv(repository), repository, '.');
    return repository;
  };
  expectRefusal(
    await night(await compiled()),
    /rates is a copy .*rates\/_core\.so.* an edit of src\/rates\/__init__\.py would change nothing/,
  );
  const other = await compiled({
    'train.py': 'from rates import main\nmain()\nLR = 2\nprint(f"val_bpb: {LR}")\n',
    'pawl.toml': contractFile({ train, limitSeconds: 120 }).replace('train.sh', 'train.py'),
  });
  expectAttempt(await night(other));
});

/** A module with one number, written without Python's headers, which not every machine has. */
const CORE = `extern void *PyModule_Create2(void *, int);
extern int PyModule_AddIntConstant(void *, const char *, long);
static struct {
  long references;
  void *type, *init;
  long index;
  void *copy;
  const char *name, *doc;
  long size;
  void *methods, *slots, *traverse, *clear, *free;
} definition = {1, 0, 0, 0, 0, "_core", 0, -1};
__attribute__((visibility("default"))) void *PyInit__core(void) {
  void *module = PyModule_Create2(&definition, 1013);
  PyModule_AddIntConstant(module, "OFFSET", 40);
  return module;
}
`;

test('a module that an editable install compiled in the checkout is there in each run', async () => {
  const repository = await project('python3 train.py', {
    'pyproject.toml':
      SETUPTOOLS +
      'package-dir = { "" = "src" }\next-modules = [{ name = "rates._core", sources = ["src/rates/_core.c"] }]\n',
    'src/rates/_core.c': CORE,
    'src/rates/__init__.py': MODULE.replace('{LR}', '{LR + OFFSET}').replace(
      /^/,
      'from rates._core import OFFSET\n',
    ),
  });
  const folder = await venv(repository);
  await installBySetuptools(folder, repository);
  for (const mode of ['required', 'off']) {
    const env = { VIRTUAL_ENV: folder, PAWL_SANDBOX: mode, PAWL_VERDICT: 'greedy' };
    const seen = await study('user', { repository, path: [join(folder, 'bin')], experiments: 1, env });
    expect(seen, seen.log + seen.stderr).toMatchObject({
      code: 0,
      contained: Array(2).fill(mode === 'required'),
    });
    expect(seen.metrics[0]).toBe(42);
    expect(seen.metrics[1]).not.toBe(42);
  }
});

test('a package whose folder has another name is refused', async () => {
  const repository = await project('.venv/bin/python train.py', {
    'pyproject.toml': `${SETUPTOOLS}package-dir = { rates = "code" }\n`,
    'code/__init__.py': MODULE,
    'pawl.toml': contractFile({ train: '.venv/bin/python train.py', limitSeconds: 120 }).replace(
      'train.sh',
      'code/__init__.py',
    ),
  });
  await rm(join(repository, 'src'), { recursive: true });
  await installBySetuptools(await venv(repository), repository);
  expectRefusal(
    await night(repository),
    /rates has another name there: code\b.* an edit of code\/__init__\.py would change nothing/,
  );
});

test('in a copy of a checkout with its environment the attempt’s code is imported, not the original’s', async () => {
  const original = await project('.venv/bin/python train.py');
  await install(await venv(original), original, '--editable', '.');
  const copy = join(await temporaryFolder(), 'copy');
  await run('cp', ['--archive', original, copy]);
  expectAttempt(await night(copy));
});

test('a script of an environment that was moved is refused, and so are none that need no Python', async () => {
  const original = await project('.venv/bin/rates-train');
  await install(await venv(original), original, '--editable', '.');
  const moved = join(await temporaryFolder(), 'moved');
  await run('mv', [original, moved]);
  expectRefusal(
    await night(moved),
    /rates-train starts .*\/python\S*, which does not exist\. .* was moved or copied/,
  );
  const compiled = await project('.venv/bin/launch .venv/bin/python train.py');
  await install(await venv(compiled), compiled, '--editable', '.');
  await copyFile('/usr/bin/env', join(compiled, '.venv', 'bin', 'launch'));
  expectAttempt(await night(compiled));
});

test('a script that runs in the environment of another project is told', async () => {
  const original = await project('.venv/bin/rates-train');
  await install(await venv(original), original, '--editable', '.');
  const copy = join(await temporaryFolder(), 'copy');
  await run('cp', ['--archive', original, copy]);
  const { stdout } = await pawl(['doctor', copy, '--json'], { home: await temporaryFolder() });
  const checks = JSON.parse(stdout) as readonly { name: string; outcome: string; detail: string }[];
  expect(checks.find(({ name }) => name === 'training command')).toMatchObject({
    outcome: 'warning',
    detail: expect.stringContaining(
      `rates-train runs in another environment, with ${original}/.venv/bin/python`,
    ),
  });
});

test('a scorer finds the packages of the environment in the checkout', async () => {
  const repository = await createRepository({
    'train.sh': 'LR=2\necho "$LR" > model.txt\necho "val_bpb: 9"\n',
    'score.py':
      'import json, os\nfrom rates import score\nmodel = open(os.path.join(os.environ["PAWL_ARTIFACTS"], "model.txt")).read()\n' +
      'os.write(int(os.environ["PAWL_SCORE_FD"]), json.dumps({"val_bpb": score(float(model))}).encode())\n',
    '.gitignore': '.venv\nmodel.txt\n',
    'pawl.toml': `${contractFile({ train: 'sh train.sh', limitSeconds: 120 })}[score]
command = ".venv/bin/python score.py"
artifacts = ["model.txt"]
seconds = 60
`,
  });
  const library = join(await temporaryFolder(), 'rates');
  await writeFiles(library, {
    'pyproject.toml': pyproject(),
    'src/rates/__init__.py': 'def score(model):\n    return model + 100\n\n\ndef main():\n    pass\n',
  });
  await install(await venv(repository), repository, library);
  await rm(library, { recursive: true });
  const seen = await night(repository);
  expect(seen, seen.log + seen.stderr).toMatchObject({ code: 0, contained: [true, true] });
  // What the package makes of the trained constant.
  expect(seen.metrics[0]).toBe(102);
  expect(seen.metrics[1]).not.toBe(102);
});
