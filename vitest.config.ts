import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './test/support/pawl-command.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // With programs that are installed for it: `npm run test:real`, `npm run test:agents`.
    exclude: ['test/real/**', 'test/agents-real/**', '**/node_modules/**'],
    // Trainings of the tests write outside of their worktree; what contains them has tests of its own.
    env: { PAWL_SANDBOX: 'off' },
    pool: 'forks',
    // Most of their time tests wait for processes; with one file at a time a small machine would wait with them.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // The slowest tests run whole studies with real training; none waits by sleeping.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: 'test-results/vitest.json' }]]
      : ['default'],
  },
});
