import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';
import { TEST_LIMIT_MS, WAIT_MS } from '../../test/support/clock.ts';
import { COMPILE_CACHE } from '../../test/support/pawl-command.ts';
import { WRITES_REPORTS } from '../../test/support/reports.ts';
import { findElectron } from './app.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

const runtime = findElectron();

/** The specs run under Electron where there is one, else under its double; the project's name says which. */
export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results/e2e-electron',
  // Their trainings wait more than they work.
  workers: availableParallelism() + 1,
  // Of a file whose tests take long, too.
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
