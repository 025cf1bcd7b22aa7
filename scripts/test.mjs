// Everything that can be tested in minutes on any developer's machine: unit tests, then the window's core in a
// browser and the window in the desktop app. The rest is in `test-real.mjs`.
import { runSteps, windowInABrowser, windowInTheDesktopApp } from './run-steps.mjs';
import { ensureChromium, ensureGit, ensurePython } from './setup.mjs';

await ensureGit();
await ensurePython();
await ensureChromium();
await runSteps(
  [[{ title: 'build', command: ['scripts/build.mjs'] }]],
  // Both wait for processes and disks, in turns.
  [
    [{ title: 'unit tests', command: ['node_modules/vitest/vitest.mjs', 'run'], report: 'vitest.json' }],
    [windowInABrowser('core'), windowInTheDesktopApp],
  ],
);
