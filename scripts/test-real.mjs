// The tests that `test.mjs` leaves out: installs pinned versions of real programs beside the dependencies, then runs
// test/real and the browser specs of the window outside its core. A program that cannot be installed is a failure,
// never a skip.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './find-node.mjs';
import { runSteps, windowInABrowser } from './run-steps.mjs';
import { ensureChromium, ensureGit, ensurePython } from './setup.mjs';

const run = promisify(execFile);

/** Packages for pip; those in the second list are installed without their dependencies, which are not needed here. */
const PACKAGES = ['uv==0.13.9', 'huggingface_hub==2.4.0', 'datasets==5.2.0', 'anthropic==2.14.0'];
const ALONE = ['kernels==0.17.2', 'setuptools==84.2.1'];

const venv = join(root, 'node_modules', '.cache', 'pawl', 'real-programs');
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

await ensureGit();
await ensurePython();
await ensureChromium();
try {
  await install();
} catch (error) {
  console.error(`test:real: the programs could not be installed: ${error.stderr || error.message}`);
  process.exit(1);
}
const filters = process.argv.slice(2);

const testReal = {
  title: 'real programs, containment, floods, kills',
  command: ['node_modules/vitest/vitest.mjs', 'run', '-c', join(root, 'vitest.real.config.ts'), ...filters],
  env: { PAWL_REAL_PROGRAMS: venv },
  report: 'vitest-real.json',
};
if (filters.length > 0) {
  await runSteps([[testReal]]);
} else {
  await runSteps(
    // It builds what all others start.
    [[{ title: 'package', command: ['scripts/package.mjs'] }]],
    // Both wait for processes and disks, in turns.
    [[{ ...testReal, env: { ...testReal.env, PAWL_TEST_PACKED: '1' } }], [windowInABrowser('rest')]],
  );
}
