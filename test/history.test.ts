import { expect, test } from 'vitest';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { createRepository, temporaryFolder } from './support/scaffold.ts';
import { query } from './support/trainers.ts';

const FILES = {
  'autoresearch.sh': 'echo "METRIC total_ms=$(cat src.txt)"\n',
  'autoresearch.md': `# Sort faster
## Metrics
- **Primary**: \`total_ms\` (ms, lower is better)
## How to Run
\`./autoresearch.sh\`
## Files in Scope
- \`src.txt\`
## Off Limits
- \`autoresearch.sh\`
`,
  'autoresearch.jsonl': [
    { type: 'config', name: 'sort', metricName: 'total_ms', metricUnit: 'ms', bestDirection: 'lower' },
    {
      run: 1,
      commit: 'a1b2c3d',
      metric: 9,
      metrics: {},
      status: 'keep',
      description: 'baseline',
      timestamp: 1,
    },
    {
      run: 2,
      commit: 'b2c3d4e',
      metric: 12,
      metrics: {},
      status: 'discard',
      description: 'bubble',
      timestamp: 2,
    },
    { run: 3, commit: 'c3d4e5f', metric: 0, metrics: {}, status: 'crash', description: 'boom', timestamp: 3 },
  ]
    .map(line => `${JSON.stringify(line)}\n`)
    .join(''),
  'src.txt': '7\n',
};

test('what pi-autoresearch tried before is imported when a study begins, once', async () => {
  const repository = await createRepository(FILES);
  const home = await temporaryFolder();
  const options = { home, env: { PAWL_SANDBOX: 'off' } };
  const propose = ['--command', `echo 5 > src.txt; printf '{"hypothesis":"idea"}\\n'`];
  const first = await sitting(['run', repository, '--tag', 'night', '-n', '1', ...propose], options);
  expect(first.code).toBe(0);
  expect(first.stderr).toContain('history       3 experiments');
  expect(eventsOf(first.events, 'warning').map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'history: The history in autoresearch.jsonl was imported as the study night-before: 3 experiments.',
  ]);
  expect(eventsOf(first.events, 'verdict').map(({ verdict, metric }) => [verdict, metric])).toEqual([
    ['keep', 7],
    ['keep', 5],
  ]);
  const rows = query<{ hypothesis: string; verdict: string; metric: number | null }>(
    home,
    `SELECT hypothesis, verdict, metric FROM experiment JOIN study s ON s.id = study_id WHERE tag = 'night-before' ORDER BY n`,
  );
  expect(rows).toEqual([
    { hypothesis: 'baseline', verdict: 'keep', metric: 9 },
    { hypothesis: 'bubble', verdict: 'discard', metric: 12 },
    { hypothesis: 'boom', verdict: 'crash', metric: null },
  ]);
  const second = await sitting(['run', repository, '--tag', 'again', '-n', '0', ...propose], options);
  expect(eventsOf(second.events, 'warning')).toEqual([]);
  const { stdout } = await pawl(['status', repository], options);
  expect(stdout).toContain('again');
});
