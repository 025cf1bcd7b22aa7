import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TEST_LIMIT_MS, UNTIL_MS } from './test/support/clock.ts';
import { COMPILE_CACHE } from './test/support/pawl-command.ts';
import { WRITES_REPORTS } from './test/support/reports.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // With programs that are installed for it, and what takes long: `npm run test:real`, `npm run test:agents`.
    exclude: ['test/real/**', 'test/slurm/**', 'test/ssh/**', 'test/agents-real/**', '**/node_modules/**'],
    // Trainings of the tests write outside of their worktree; what contains them has tests of its own, and so have repeats.
    env: { PAWL_SANDBOX: 'off', PAWL_VERDICT: 'greedy' },
    pool: 'forks',
    // A worker of its own for each file would spend most of its time on loading the same modules.
    isolate: false,
    setupFiles: './test/support/clean-up.ts',
    // What a worker takes of the memory is copied in part at each start of a process, and most tests start many.
    execArgv: ['--optimize-for-size'],
    globalSetup: './test/support/build-pawl.ts',
    // Tests wait for processes and disks for half of their time, and the window's specs beside them end first.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: SlowestFirst },
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    expect: { poll: { timeout: UNTIL_MS, interval: 20 } },
    reporters: WRITES_REPORTS
      ? ['default', ['json', { outputFile: 'test-results/vitest.json' }]]
      : ['default'],
  },
});
