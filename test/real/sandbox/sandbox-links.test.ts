import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { trace } from '../../../src/engine/sandbox/links.ts';
import { answers, can, contained, runContained } from '../../support/contained.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';

const run = promisify(execFile);

/** A home with nothing in it, that is no link itself. */
async function makeHome(): Promise<string> {
  const home = join(await realpath(await temporaryFolder()), 'home');
  await mkdir(home);
  return home;
}

async function program(path: string, text: string): Promise<void> {
  await writeFiles(join(path, '..'), { [path.slice(path.lastIndexOf('/') + 1)]: text });
  await chmod(path, 0o755);
}

contained('a path leads through the links the system would follow', async () => {
  const folder = await makeHome();
  await writeFiles(folder, { 'real/deep/file': 'x' });
  await symlink('real', join(folder, 'relative'));
  await symlink(join(folder, 'relative'), join(folder, 'absolute'));
  await symlink('../relative/deep/./file', join(folder, 'real', 'up'));
  await symlink('loop', join(folder, 'loop'));
  const found = await trace(join(folder, 'absolute', 'up'));
  expect(found.real).toBe(join(folder, 'real/deep/file'));
  expect(found.links.map(({ at, isLast }) => [at.slice(folder.length), isLast])).toEqual([
    ...[
      ['/absolute', false],
      ['/relative', false],
      ['/real/up', true],
      ['/relative', false],
    ],
  ]);
  expect((await trace(join(folder, 'loop'))).real).toBe(join(folder, 'loop'));
  expect((await trace(join(folder, 'not', '..', 'there'))).real).toBe(join(folder, 'there'));
});

contained('an activated environment of venv runs, whatever its python is a link to', async () => {
  const home = await makeHome();
  const pythons = join(home, 'pythons');
  await mkdir(join(pythons, 'bin'), { recursive: true });
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.executable)']);
  // As a version manager has it: the environment's python is a link to a link out of home.
  await symlink(stdout.trim(), join(pythons, 'bin', 'python3'));
  const venv = join(home, 'project', '.venv');
  await run(join(pythons, 'bin', 'python3'), ['-m', 'venv', '--without-pip', venv]);
  const ask = 'python3 -c "import sys; print(sys.prefix)"';
  for (const train of ['python3 train.py', 'sh train.sh', `${venv}/bin/python3 train.py`]) {
    const activated = { home, train, path: [join(venv, 'bin')], environment: { VIRTUAL_ENV: venv } };
    expect((await runContained(ask, activated)).stdout.trim()).toBe(venv);
  }
  const unknown = { home, train: `${venv}/bin/python3 train.py` };
  expect((await runContained(`${venv}/bin/python3 -c "print(1)"`, unknown)).stdout.trim()).toBe('1');
});

contained('a program that is installed for one user is a link to its version', async () => {
  const home = await makeHome();
  await program(join(home, '.local/share/claude/versions/2.1.3'), '#!/bin/sh\necho native\n');
  await mkdir(join(home, '.local/bin'), { recursive: true });
  await symlink('../share/claude/versions/2.1.3', join(home, '.local/bin/claude'));
  await writeFiles(home, { '.local/share/keyrings/login': 'secret', '.ssh/id': 'secret' });
  for (const train of ['claude -p', `${home}/.local/bin/claude -p`, '~/.local/bin/claude -p']) {
    const script = [
      can('runs', 'claude'),
      can('link', `[ "$(readlink ${home}/.local/bin/claude)" = ../share/claude/versions/2.1.3 ]`),
      can('keys', `cat ${home}/.local/share/keyrings/login || cat ${home}/.ssh/id`),
    ].join('\n');
    const { stdout } = await runContained(script, { home, train, path: [join(home, '.local/bin')] });
    expect(answers(stdout)).toEqual({ runs: 'yes', link: 'yes', keys: 'no' });
  }
});

contained('programs of npm run where they are links into packages', async () => {
  const home = await makeHome();
  const packages = {
    'lib/node_modules/tool/package.json': '{"type":"commonjs"}',
    'lib/node_modules/tool/cli.js': '#!/usr/bin/env node\nconsole.log(require("needed"))\n',
    'lib/node_modules/needed/index.js': 'module.exports = "found"\n',
  };
  await writeFiles(join(home, '.npm-global'), packages);
  await chmod(join(home, '.npm-global/lib/node_modules/tool/cli.js'), 0o755);
  await mkdir(join(home, '.npm-global/bin'));
  await symlink('../lib/node_modules/tool/cli.js', join(home, '.npm-global/bin/tool'));
  // Of a project elsewhere in home, and reached by an absolute link from another folder on the PATH.
  await writeFiles(join(home, 'work'), {
    'node_modules/nearby/cli.js': '#!/usr/bin/env node\nconsole.log(require("needed"))\n',
    'node_modules/needed/index.js': 'module.exports = "found"\n',
    secret: 'secret',
  });
  await chmod(join(home, 'work/node_modules/nearby/cli.js'), 0o755);
  await mkdir(join(home, 'work/node_modules/.bin'));
  await symlink('../nearby/cli.js', join(home, 'work/node_modules/.bin/nearby'));
  await mkdir(join(home, 'bin'));
  await symlink(join(home, 'work/node_modules/.bin/nearby'), join(home, 'bin/linked'));
  const path = ['.npm-global/bin', 'work/node_modules/.bin', 'bin'].map(folder => join(home, folder));
  for (const name of ['tool', 'nearby', 'linked']) {
    const options = { home, path: [join(process.execPath, '..'), ...path], train: `${name} x` };
    const script = `${name}; ${can('secret', `cat ${home}/work/secret`)}`;
    expect((await runContained(script, options)).stdout).toBe('found\nsecret no\n');
  }
});

contained('shims of a version manager find their versions', async () => {
  const home = await makeHome();
  await program(join(home, '.pyenv/versions/3.11.7/bin/python3.11'), '#!/bin/sh\necho of 3.11.7\n');
  await symlink('python3.11', join(home, '.pyenv/versions/3.11.7/bin/python3'));
  await symlink('3.11.7', join(home, '.pyenv/versions/3.11'));
  const shim = '#!/bin/sh\nexec "$(dirname "$(dirname "$0")")/versions/3.11/bin/python3" "$@"\n';
  await program(join(home, '.pyenv/shims/python3'), shim);
  for (const train of ['python3 train.py', 'sh train.sh', '~/.pyenv/shims/python3 train.py']) {
    const options = { home, train, path: [join(home, '.pyenv/shims')] };
    expect((await runContained('python3', options)).stdout).toBe('of 3.11.7\n');
  }
});

contained('conda, nvm and bun are let in whole, and what lies beside them is not', async () => {
  const home = await makeHome();
  const layouts = [
    ['miniconda3/envs/ml/bin', 'miniconda3/envs/ml/conda-meta/history', 'miniconda3/envs/ml/lib/data'],
    ['.nvm/versions/node/v22/bin', '.nvm/versions/node/v22/include/x.h', '.nvm/versions/node/v22/lib/data'],
    [
      '.bun/bin',
      '.bun/install/global/node_modules/x/package.json',
      '.bun/install/global/node_modules/x/data',
    ],
  ] as const;
  for (const [bin, mark, data] of layouts) {
    await writeFiles(home, { [mark]: '{}', [data]: 'data', 'beside/secret': 'secret' });
    await program(join(home, bin, 'thing'), '#!/bin/sh\necho thing\n');
    const script = [
      can('runs', 'thing'),
      can('data', `cat ${home}/${data}`),
      can('beside', `cat ${home}/beside/secret`),
    ].join('\n');
    const { stdout } = await runContained(script, { home, train: 'thing', path: [join(home, bin)] });
    expect(answers(stdout)).toEqual({ runs: 'yes', data: 'yes', beside: 'no' });
  }
});

contained('a home, a checkout’s environment and a cache may be links out of home', async () => {
  const outside = await realpath(await temporaryFolder());
  await writeFiles(outside, { 'home/.ssh/id': 'secret', 'big/data/rows': 'rows', 'big/.netrc': 'secret' });
  const home = join(outside, 'linked-home');
  await symlink(join(outside, 'home'), home);
  await symlink(join(outside, 'big', 'data'), join(outside, 'home', 'data'));
  const options = { home, sandbox: { reads: ['~/data'] } };
  const script = [
    can('by_link', `cat ${home}/data/rows`),
    can('by_name', `cat ${outside}/home/data/rows && cat ${outside}/big/data/rows`),
    can('beside', `cat ${outside}/big/.netrc`),
    can('ssh', `cat ${home}/.ssh/id || cat ${outside}/home/.ssh/id`),
  ].join('\n');
  const { stdout } = await runContained(script, options);
  expect(answers(stdout)).toEqual({ by_link: 'yes', by_name: 'yes', beside: 'no', ssh: 'no' });
});

contained('what is let in can be read where only its owner may enter the folders', async () => {
  const outside = await realpath(await temporaryFolder());
  await writeFiles(outside, { 'closed/data/rows': 'rows', 'closed/other': 'secret' });
  await program(join(outside, 'closed/bin/tool'), '#!/bin/sh\necho tool\n');
  for (const folder of ['closed', 'closed/data', 'closed/bin']) await chmod(join(outside, folder), 0o700);
  const script = [
    can('tool', 'tool'),
    can('data', `cat ${outside}/closed/data/rows`),
    can('write', `echo x >> ${outside}/closed/data/rows`),
    can('other', `cat ${outside}/closed/other`),
  ].join('\n');
  const { stdout } = await runContained(script, {
    path: [join(outside, 'closed/bin')],
    sandbox: { reads: [join(outside, 'closed/data')] },
  });
  expect(answers(stdout)).toEqual({ tool: 'yes', data: 'yes', write: 'no', other: 'no' });
  expect(await readdir(join(outside, 'closed'))).toEqual(['bin', 'data', 'other']);
});
