// Prints the ten slowest files of the last tests, from the reports of Vitest and Playwright in test-results/.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './find-node.mjs';

const SHOWN = 10;

/** Seconds by file: for Vitest from start to end, for Playwright the sum of its tests. */
function secondsByFile(folder, reports) {
  const seconds = new Map();
  const add = (name, milliseconds) => seconds.set(name, (seconds.get(name) ?? 0) + milliseconds / 1000);
  const addSuite = (suite, prefix) => {
    for (const inner of suite.suites ?? []) addSuite(inner, prefix);
    for (const { file, tests } of suite.specs ?? []) {
      for (const result of tests.flatMap(test => test.results)) add(join(prefix, file), result.duration);
    }
  };
  for (const name of readdirSync(folder).filter(file => reports?.includes(file) ?? file.endsWith('.json'))) {
    const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    for (const file of report.testResults ?? [])
      add(relative(root, file.name), file.endTime - file.startTime);
    for (const suite of report.suites ?? []) addSuite(suite, relative(root, report.config.rootDir));
  }
  return seconds;
}

/** @param reports names of the reports to read; by default all */
export function printSlowestFiles(folder = join(root, 'test-results'), reports = null) {
  const slowest = [...secondsByFile(folder, reports)]
    .sort(([, one], [, other]) => other - one)
    .slice(0, SHOWN);
  console.log(`\nThe ${slowest.length} slowest files:`);
  for (const [name, seconds] of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printSlowestFiles(process.argv[2]);
