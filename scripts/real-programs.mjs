// Installs pinned versions of the real programs that `test-real.mjs` runs, beside the dependencies. One that cannot be
// installed is a failure, never a skip.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './find-node.mjs';

const run = promisify(execFile);

/** Packages for pip; those in the second list are installed without their dependencies, which are not needed here. */
const PACKAGES = ['uv==0.13.9', 'huggingface_hub==2.4.0', 'datasets==5.2.0', 'anthropic==2.14.0'];
const ALONE = ['kernels==0.17.2', 'setuptools==84.2.1'];

export const venv = join(root, 'node_modules', '.cache', 'pawl', 'real-programs');
const stamp = join(venv, 'installed');

async function install() {
  const wanted = [...PACKAGES, ...ALONE].join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log(`test:real: installing ${[...PACKAGES, ...ALONE].join(', ')}`);
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(join(venv, '..'), { recursive: true });
  // The system's own Python, if there is one: any user can run it.
  const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  await run(python, ['-m', 'venv', '--without-pip', venv]);
  const options = ['--python', join(venv, 'bin', 'python'), 'install', '--quiet'];
  const pip = args => run('python3', ['-m', 'pip', '--disable-pip-version-check', ...options, ...args]);
  await pip(PACKAGES);
  await pip(['--no-deps', ...ALONE]);
  writeFileSync(stamp, wanted);
}

if (process.argv[1] === import.meta.filename) {
  try {
    await install();
  } catch (error) {
    console.error(`test:real: the programs could not be installed: ${error.stderr || error.message}`);
    process.exit(1);
  }
}
