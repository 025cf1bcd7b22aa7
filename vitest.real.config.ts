import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TEST_LIMIT_MS } from './test/support/clock.ts';
import { COMPILE_CACHE } from './test/support/pawl-command.ts';
import { WRITES_REPORTS } from './test/support/reports.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

const KILLS = 'test/real/kill-*.test.ts';

/** What needs real programs that are installed for it, and kills by the hundred; `npm run test:real`. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Repeats have tests of their own: test/repeats.test.ts.
    env: { PAWL_VERDICT: 'greedy' },
    globalSetup: './test/support/build-pawl.ts',
    testTimeout: 2 * TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    expect: { poll: { timeout: TEST_LIMIT_MS, interval: 20 } },
    reporters: WRITES_REPORTS
      ? ['default', ['json', { outputFile: 'test-results/vitest-real.json' }]]
      : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'programs',
          include: ['test/real/**/*.test.ts'],
          exclude: [KILLS, '**/node_modules/**'],
          // The studies of one row at a time: several would share what they measure.
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'kills',
          include: [KILLS],
          env: { PAWL_SANDBOX: 'off', PAWL_VERDICT: 'greedy' },
          maxWorkers: availableParallelism() + 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
