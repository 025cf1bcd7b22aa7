// The tests that `test.mjs` leaves out: test/real with the programs of `real-programs.mjs`, the browser specs of
// the window outside its core, and one of the real agents.
import { join } from 'node:path';
import { root } from './find-node.mjs';
import { venv } from './real-programs.mjs';
import { runSteps, windowInABrowser } from './run-steps.mjs';
import { ensureChromium, ensureGit, ensurePython } from './setup.mjs';

await ensureGit();
await ensurePython();
await ensureChromium();
const filters = process.argv.slice(2);

const install = { title: 'installation of real programs', command: ['scripts/real-programs.mjs'] };
const testReal = {
  title: 'real programs, containment, floods, kills',
  command: ['node_modules/vitest/vitest.mjs', 'run', '-c', join(root, 'vitest.real.config.ts'), ...filters],
  env: { PAWL_REAL_PROGRAMS: venv },
  report: 'vitest-real.json',
};
/** The agent that starts fastest. What this says at its end names those that were not run. */
const oneAgent = {
  title: 'a real agent',
  command: ['scripts/test-agents.mjs', '--only', 'claude'],
  env: { PAWL_AGENTS_LIMIT_SECONDS: '20' },
  report: 'vitest-agents.json',
};
if (filters.length > 0) {
  await runSteps([[install]], [[testReal]]);
} else {
  await runSteps(
    // The package builds what all others start.
    [[{ title: 'package', command: ['scripts/package.mjs'] }], [install]],
    // Both wait for processes and disks, in turns.
    [
      [{ ...testReal, env: { ...testReal.env, PAWL_TEST_PACKED: '1' } }],
      [windowInABrowser('rest'), oneAgent],
    ],
  );
}
