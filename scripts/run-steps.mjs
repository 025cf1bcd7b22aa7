// Runs the parts of a test command in sequence or in parallel, and continues after a failure, so that one run reports
// everything.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { printSlowestFiles } from './slowest-files.mjs';

const REPORTS = join(root, 'test-results');
const PLAYWRIGHT = 'node_modules/@playwright/test/cli.js';

/**
 * Resolves to whether this script of the checkout succeeded, and to its output that has not been shown yet.
 * @param isShown whether to show its output as it arrives
 */
function run({ title, command: [script, ...args], env }, isShown) {
  const heading = `\n--- ${title}\n`;
  if (isShown) process.stdout.write(heading);
  return new Promise(resolve => {
    const child = spawn(requireNode(), [join(root, script), ...args], {
      cwd: root,
      stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PAWL_TEST_REPORTS: '1', ...env },
    });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', text => said.push(text));
    const end = isWell => resolve({ isWell, unseen: isShown ? '' : heading + Buffer.concat(said) });
    child.on('error', () => end(false));
    child.on('close', code => end(code === 0));
  });
}

/** The specs of the window's core in a browser, or all others. */
export function windowInABrowser(project) {
  const report = `e2e-web-${project}.json`;
  return {
    title: `window in a browser: ${project}`,
    command: [PLAYWRIGHT, 'test', '-c', 'e2e/web/playwright.config.ts', '--project', project],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: join(REPORTS, report) },
    report,
  };
}

export const windowInTheDesktopApp = {
  title: 'window in the desktop app',
  command: [PLAYWRIGHT, 'test', '-c', 'e2e/electron/playwright.config.ts'],
  report: 'e2e-electron.json',
};

/**
 * One step after the other. Resolves to whether all ended well, and to what is not shown yet of what they said. It says at once
 * that it has ended, so that one sees which lane takes longest.
 */
async function runLane(steps, isShown) {
  const began = performance.now();
  const lane = { isWell: true, unseen: '' };
  for (const step of steps) {
    const { isWell, unseen } = await run(step, isShown);
    lane.isWell &&= isWell;
    lane.unseen += unseen;
  }
  const titles = steps.map(({ title }) => title).join(', ');
  console.log(`\n--- ended after ${Math.round((performance.now() - began) / 1000)} s: ${titles}`);
  return lane;
}

/**
 * Sets the exit code: 0 if all succeeded. Removes the reports of an earlier run, which would be mistaken for this
 * one's.
 * @param stages run one after the other, each made of lanes that run in parallel; the first lane's output is
 * shown at once, that of the others when all have ended
 */
export async function runSteps(...stages) {
  const reports = stages.flat(2).flatMap(({ report }) => report ?? []);
  for (const name of reports) rmSync(join(REPORTS, name), { force: true });
  let isWell = true;
  for (const lanes of stages) {
    for (const lane of await Promise.all(lanes.map((steps, index) => runLane(steps, index === 0)))) {
      process.stdout.write(lane.unseen);
      isWell &&= lane.isWell;
    }
  }
  printSlowestFiles(REPORTS, reports);
  process.exitCode = isWell ? 0 : 1;
}
