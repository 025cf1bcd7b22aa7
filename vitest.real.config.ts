import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './test/support/pawl-command.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/** What needs real programs that are installed for it; `npm run test:real`. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    pool: 'forks',
    // The studies of one row at a time: several would share what they measure.
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: 'test-results/vitest-real.json' }]]
      : ['default'],
  },
});
