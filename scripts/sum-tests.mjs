// Prints one line with the counts of every report in test-results/, Vitest's and Playwright's, and fails when there is
// none or one is red.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './find-node.mjs';

const folder = join(root, 'test-results');
const sum = { passed: 0, failed: 0, skipped: 0 };
let names = [];
try {
  names = readdirSync(folder).filter(name => name.endsWith('.json'));
} catch {
  // No runner wrote a report; the sum below fails.
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
}

function addPlaywright({ stats, errors }) {
  sum.passed += stats.expected + stats.flaky;
  // What went wrong outside of any test, such as a file that does not load.
  sum.failed += stats.unexpected + errors.length;
  sum.skipped += stats.skipped;
}

console.log(`Tests: ${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
