// Runs the parts of a test command one after the other, also after one has failed, so that one run tells everything.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { printSlowestFiles } from './slowest-files.mjs';

const REPORTS = join(root, 'test-results');
const PLAYWRIGHT = 'node_modules/@playwright/test/cli.js';

/** Resolves to whether the script of this checkout ended well. */
function run(title, [script, ...args], env) {
  console.log(`\n--- ${title}`);
  return new Promise(resolve => {
    const child = spawn(requireNode(), [join(root, script), ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PAWL_TEST_REPORTS: '1', ...env },
    });
    child.on('error', () => resolve(false));
    child.on('exit', code => resolve(code === 0));
  });
}

/** The specs of the window in a browser that show its core, or all others. */
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

/** Sets the exit code: 0 where all ended well. The reports of an earlier run would be read as this one's, so they go. */
export async function runSteps(steps) {
  const reports = steps.flatMap(({ report }) => report ?? []);
  for (const name of reports) rmSync(join(REPORTS, name), { force: true });
  let isWell = true;
  for (const { title, command, env } of steps) isWell = (await run(title, command, env)) && isWell;
  printSlowestFiles(REPORTS, reports);
  process.exitCode = isWell ? 0 : 1;
}
