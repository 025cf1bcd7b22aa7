// Everything a change must pass but types and lint: unit tests, then the window in a browser and in the desktop app.
// Runs all of them also after one has failed, so that one run tells everything.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { ensureChromium, ensureGit, ensurePython } from './setup.mjs';
import { printSlowestFiles } from './slowest-files.mjs';

/** What the runners write; those of an earlier run would be read as this one's. */
const REPORTS = ['vitest.json', 'e2e-web.json', 'e2e-electron.json'];

await ensureGit();
await ensurePython();
await ensureChromium();
const node = requireNode();

/** Resolves to whether the command ended well. */
function run(name, args) {
  console.log(`\n--- ${name}`);
  return new Promise(resolve => {
    const child = spawn(
      node,
      args.map(part => (part.includes('/') ? join(root, part) : part)),
      {
        cwd: root,
        stdio: 'inherit',
        env: { ...process.env, PAWL_TEST_REPORTS: '1' },
      },
    );
    child.on('error', () => resolve(false));
    child.on('exit', code => resolve(code === 0));
  });
}

const reports = join(root, 'test-results');
for (const name of REPORTS) rmSync(join(reports, name), { force: true });

const playwright = 'node_modules/@playwright/test/cli.js';
const results = [
  await run('build', ['scripts/build.mjs']),
  await run('unit tests', ['node_modules/vitest/vitest.mjs', 'run']),
  await run('window in a browser', [playwright, 'test', '-c', 'e2e/web/playwright.config.ts']),
  await run('window in the desktop app', [playwright, 'test', '-c', 'e2e/electron/playwright.config.ts']),
];
printSlowestFiles(reports);
process.exitCode = results.every(Boolean) ? 0 : 1;
