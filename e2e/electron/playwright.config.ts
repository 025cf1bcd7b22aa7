import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';
import { TEST_LIMIT_MS, WAIT_MS } from '../../test/support/clock.ts';
import { COMPILE_CACHE } from '../../test/support/pawl-command.ts';
import { WRITES_REPORTS } from '../../test/support/reports.ts';
import { findElectron } from './app.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

const runtime = findElectron();

/** Runs the specs under Electron if it is installed, else under its double. The project's name says which. */
export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results/e2e-electron',
  // The trainings in these specs mostly wait, so there is one worker more than there are cores.
  workers: availableParallelism() + 1,
  // The tests of one file run in parallel too, because some files take long.
  fullyParallel: true,
  timeout: TEST_LIMIT_MS,
  expect: { timeout: WAIT_MS },
  forbidOnly: Boolean(process.env.CI),
  reporter: [
    ['list'],
    ['./runtime-reporter.ts', { runtime }],
    ...(WRITES_REPORTS ? [['json', { outputFile: '../../test-results/e2e-electron.json' }] as const] : []),
  ],
  projects: [{ name: runtime ? 'electron' : 'double of electron' }],
});
