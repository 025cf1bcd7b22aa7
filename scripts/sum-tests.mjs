// Names every failed test, with the first lines of the reason, then prints one line with the counts of all reports of
// Vitest and Playwright in test-results/. Fails if there is no report or one is red, or if a test was skipped that an
// installation would have let run.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './find-node.mjs';

const folder = process.argv[2] ?? join(root, 'test-results');
const isRoot = process.getuid?.() === 0;
/** Tests that may be skipped, by file and title: nothing that can be installed would let them run. */
const MAY_BE_SKIPPED = [
  // They need a recent enough git.
  /odd-checkouts.* reftable /,
  // PyTorch takes gigabytes.
  /sample\.test\.ts > nano-gpt (trains|without its mask)/,
  /scoring\/harden\.test\.ts > /,
  /scorer\.test\.ts > numpy checks /,
  // The system's own Node cannot be made older.
  /launcher.* under an old Node /,
  // They test the stand-in for Electron.
  /keys\.spec\.ts > /,
  ...(process.platform === 'linux' && process.arch === 'x64' ? [] : [/bundle-gpu/]),
  // A job's memory limit needs control groups version 1.
  /slurm-memory/,
  // They need their own disk, and another user.
  ...(isRoot ? [] : [/full-disk/, /branch-and-worktree/, /a small disk$/]),
];
const sum = { passed: 0, failed: 0, skipped: 0 };
/** How many lines of a failed test's page are printed. */
const PAGE_LINES = 60;
/** The failures, each with title, message and, for a test of the window, what the page showed. */
const failures = [];
/** Titles of skipped tests. */
const skipped = [];
let names = [];
try {
  names = readdirSync(folder).filter(name => name.endsWith('.json'));
} catch {
  // No runner wrote a report; the sum below then fails.
}
for (const name of names) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  if (report.stats) addPlaywright(report);
  else addVitest(report);
}

function addVitest(report) {
  sum.passed += report.numPassedTests;
  // A file that does not load has no tests to count, but it is a failure.
  const brokenFiles = report.testResults.filter(
    file => file.status === 'failed' && file.assertionResults.length === 0,
  );
  sum.failed += report.numFailedTests + brokenFiles.length;
  sum.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
  for (const file of report.testResults) {
    const name = relative(root, file.name);
    for (const test of file.assertionResults) {
      if (test.status === 'failed')
        failures.push([`${name} > ${test.fullName}`, test.failureMessages.join('\n')]);
      else if (test.status === 'skipped' || test.status === 'pending')
        skipped.push(`${name} > ${test.fullName}`);
    }
  }
  for (const file of brokenFiles) failures.push([relative(root, file.name), file.message]);
}

function addPlaywright({ stats, errors, suites }) {
  sum.passed += stats.expected + stats.flaky;
  // Failures outside any test, such as a file that does not load.
  sum.failed += stats.unexpected + errors.length;
  sum.skipped += stats.skipped;
  for (const error of errors) failures.push(['outside of any test', error.message]);
  for (const suite of suites) collectUnexpected(suite);
}

function collectUnexpected(suite) {
  for (const inner of suite.suites ?? []) collectUnexpected(inner);
  for (const spec of suite.specs) {
    if (spec.tests.some(test => test.status === 'skipped')) skipped.push(`${spec.file} > ${spec.title}`);
    if (spec.ok) continue;
    const messages = spec.tests.flatMap(test => test.results.flatMap(result => result.errors));
    const pages = spec.tests.flatMap(test => test.results.flatMap(result => result.attachments.map(pageOf)));
    failures.push([
      `${spec.file} > ${spec.title}`,
      messages.map(error => error.message).join('\n'),
      pages.join('').split('\n').slice(0, PAGE_LINES),
    ]);
  }
}

/** The page at the time of the failure, as Playwright describes it; nothing for any other attachment. */
function pageOf({ name, path }) {
  if (name !== 'error-context' || !path) return '';
  try {
    return /^```yaml\n(.*?)\n```$/ms.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

for (const title of skipped.filter(name => !MAY_BE_SKIPPED.some(known => known.test(name)))) {
  sum.skipped -= 1;
  sum.failed += 1;
  failures.push([title, 'It was skipped, and what it needs can be installed.']);
}

for (const [title, message, page = []] of failures) {
  const lines = [
    ...stripVTControlCharacters(message ?? '')
      .split('\n')
      .slice(0, 8),
    ...page,
  ];
  console.log([`FAILED ${title}`, ...lines.map(line => `    ${line}`)].join('\n'));
}

console.log(`Tests: ${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
