import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Seen = { readonly code: number; readonly stdout: string };

/** What a script of the checkout makes of the reports. */
async function read(script: string, reports: Readonly<Record<string, object>>): Promise<Seen> {
  const folder = await temporaryFolder();
  await writeFiles(
    folder,
    Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, JSON.stringify(report)])),
  );
  return new Promise(resolve => {
    execFile(process.execPath, [`${ROOT}scripts/${script}`, folder], (error, stdout) =>
      resolve({ code: Number(error?.code ?? 0), stdout }),
    );
  });
}

/** A report of Vitest's about files that took so many seconds, with their tests' titles and how they ended. */
function vitestReport(
  files: Readonly<Record<string, readonly [number, Readonly<Record<string, string>>]>>,
): object {
  const statuses = Object.values(files).flatMap(([, tests]) => Object.values(tests));
  const count = (status: string) => statuses.filter(other => other === status).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('skipped'),
    testResults: Object.entries(files).map(([name, [seconds, tests]]) => ({
      ...{ name: `${ROOT}test/${name}`, status: 'passed', startTime: 0, endTime: 1_000 * seconds },
      assertionResults: Object.entries(tests).map(([fullName, status]) => ({
        ...{ fullName, status, failureMessages: status === 'failed' ? ['It went wrong.'] : [] },
      })),
    })),
  };
}

/** A report of Playwright's about one file of one test. */
function playwrightReport(file: string, seconds: number, status: 'expected' | 'skipped'): object {
  return {
    config: { rootDir: `${ROOT}e2e/web` },
    stats: { expected: 0, flaky: 0, unexpected: 0, skipped: 0, [status]: 1 },
    errors: [],
    suites: [
      {
        specs: [
          {
            ...{ file, title: 'a window', ok: true },
            tests: [{ status, results: [{ duration: 1_000 * seconds, errors: [] }] }],
          },
        ],
      },
    ],
  };
}

test('the files that took longest are named, of every runner, the slowest first', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`f${index}.test.ts`, [index, {}] as const]),
  );
  const { stdout } = await read('slowest-files.mjs', {
    'vitest.json': vitestReport(files),
    'e2e-web.json': playwrightReport('queue.spec.ts', 10.25, 'expected'),
  });
  expect(stdout.trim().split('\n')).toEqual([
    'The 10 slowest files:',
    '   11.0 s  test/f11.test.ts',
    '   10.3 s  e2e/web/queue.spec.ts',
    ...[10, 9, 8, 7, 6, 5, 4, 3].map(index => `${index.toFixed(1).padStart(7)} s  test/f${index}.test.ts`),
  ]);
});

test('what failed is named, and a skip is a failure where an installation would have mended it', async () => {
  const ran = { 'a good one': 'passed', 'a bad one': 'failed' };
  const skipped = { 'nano-gpt trains': 'skipped' };
  const report = vitestReport({ 'a.test.ts': [1, ran], 'sample.test.ts': [1, skipped] });
  expect(await read('sum-tests.mjs', { 'vitest.json': report })).toEqual({
    code: 1,
    stdout: 'FAILED test/a.test.ts > a bad one\n    It went wrong.\nTests: 1 passed, 1 failed, 1 skipped\n',
  });
  const fine = vitestReport({ 'sample.test.ts': [1, { ...skipped, 'a good one': 'passed' }] });
  expect(await read('sum-tests.mjs', { 'vitest.json': fine })).toMatchObject({ code: 0 });
  const walls = vitestReport({ 'sandbox.test.ts': [1, { 'a wall': 'skipped', 'a door': 'passed' }] });
  expect(await read('sum-tests.mjs', { 'vitest.json': walls })).toEqual({
    code: 1,
    stdout: `FAILED test/sandbox.test.ts > a wall
    It was skipped, and what it needs can be installed.
Tests: 1 passed, 1 failed, 0 skipped
`,
  });
  const window = { 'e2e-web.json': playwrightReport('queue.spec.ts', 1, 'skipped'), 'vitest.json': fine };
  expect((await read('sum-tests.mjs', window)).stdout).toContain('FAILED queue.spec.ts > a window');
  expect(await read('sum-tests.mjs', {})).toMatchObject({ code: 1 });
});
