import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TEST_LIMIT_MS, UNTIL_MS } from './test/support/clock.ts';
import { COMPILE_CACHE } from './test/support/pawl-command.ts';
import { WRITES_REPORTS } from './test/support/reports.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

const PACKAGE = 'test/real/programs/package.test.ts';
/** They wait for processes and disks for much of their time, and the window's specs beside them end first. */
const WORKERS = 2 * availableParallelism();

/** What needs programs or rights that not every machine has, and what takes long; a part of `npm run test:real`. */
export default defineConfig({
  test: {
    pool: 'forks',
    // A worker of its own for each file would spend most of its time on loading the same modules.
    isolate: false,
    setupFiles: './test/support/clean-up.ts',
    // What a worker takes of the memory is copied in part at each start of a process, and most tests start many.
    execArgv: ['--optimize-for-size'],
    // Repeats have tests of their own: test/real/verdicts/repeats.test.ts.
    env: { PAWL_VERDICT: 'greedy' },
    globalSetup: './test/support/build-pawl.ts',
    sequence: { sequencer: SlowestFirst },
    testTimeout: 2 * TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    expect: { poll: { timeout: UNTIL_MS, interval: 20 } },
    reporters: WRITES_REPORTS
      ? ['default', ['json', { outputFile: 'test-results/vitest-real.json' }]]
      : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'package',
          include: [PACKAGE],
          // It builds what the others start, unless that has been done (`PAWL_TEST_PACKED`).
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'programs',
          include: ['test/real/programs/*.test.ts'],
          exclude: [PACKAGE, '**/node_modules/**'],
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'machine',
          include: ['test/real/**/*.test.ts', 'test/slurm/*.test.ts', 'test/ssh/*.test.ts'],
          exclude: ['test/real/programs/**', '**/node_modules/**'],
          // As in `vitest.config.ts`; what contains trainings says so itself.
          env: { PAWL_SANDBOX: 'off', PAWL_VERDICT: 'greedy' },
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
