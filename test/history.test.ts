import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { createRepository, git, temporaryFolder } from './support/scaffold.ts';
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

async function historyOf(
  prepare: (repository: string) => Promise<void>,
  files: Record<string, string> = FILES,
) {
  const repository = await createRepository(files);
  await prepare(repository);
  const options = { home: await temporaryFolder(), env: { PAWL_SANDBOX: 'off' } };
  const { code, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '0', '--command', 'true'],
    options,
  );
  return { code, warnings: eventsOf(events, 'warning').map(({ message }) => message) };
}

test.each([
  ['a link to a device', (path: string) => symlink('/dev/zero', path)],
  ['a link to a file elsewhere', (path: string) => symlink('/etc/passwd', path)],
  ['a folder', (path: string) => mkdir(path)],
] as const)('a log that is %s is not read, and the study begins', async (_, make) => {
  const found = await historyOf(async repository => {
    const log = join(repository, 'autoresearch.jsonl');
    await rm(log);
    await make(log);
  });
  expect(found).toEqual({
    code: 0,
    warnings: [
      expect.stringMatching(/^The history in autoresearch\.jsonl was not imported: .*not a plain file\.$/),
    ],
  });
});

test('a log that is reached over a link, or committed as one, is not read', async () => {
  const { 'autoresearch.jsonl': log, ...files } = FILES;
  const outside = await temporaryFolder();
  await writeFile(join(outside, 'log.jsonl'), log);
  const linked = await historyOf(repository => symlink(outside, join(repository, '.auto')), files);
  expect(linked.warnings).toEqual([
    'The history in .auto/log.jsonl was not imported: it is not a plain file.',
  ]);
  const committed = await historyOf(async repository => {
    await symlink('/dev/zero', join(repository, 'autoresearch.jsonl'));
    await git(repository, 'add', '.');
    await git(repository, 'commit', '-m', 'link');
    await rm(join(repository, 'autoresearch.jsonl'));
  }, files);
  expect(committed.warnings).toEqual([
    'The history in autoresearch.jsonl was not imported: it is not a plain file.',
  ]);
});

test('a log that is nested without end ends no study', async () => {
  const found = await historyOf(repository =>
    writeFile(
      join(repository, 'autoresearch.jsonl'),
      `{"status":"keep","metric":1,"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}\n`,
    ),
  );
  expect(found).toEqual({
    code: 0,
    warnings: [expect.stringMatching(/^The history in .* was not imported: /)],
  });
});
