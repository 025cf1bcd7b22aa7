import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './test/support/pawl-command.ts';
import { WRITES_REPORTS } from './test/support/reports.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/** They speak the protocol that Pawl asks over, and have nothing else that is looked at. */
const isBridge = (name: string) => name.endsWith('-acp');
const isOfBridgesAlone = (process.env.PAWL_AGENTS_TRIED ?? '').split(',').every(isBridge);

/** What needs the real agents, which are installed for it; `npm run test:agents`. */
export default defineConfig({
  test: {
    include: [`test/agents-real/${isOfBridgesAlone ? 'loop' : '**/*'}.test.ts`],
    pool: 'forks',
    env: { PAWL_VERDICT: 'greedy' },
    globalSetup: './test/support/build-pawl.ts',
    // What costs time is the start of the programs, and they measure it.
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 60_000,
    reporters: WRITES_REPORTS
      ? ['default', ['json', { outputFile: 'test-results/vitest-agents.json' }]]
      : ['default'],
  },
});
