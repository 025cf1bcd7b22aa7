// Everything a change must pass but types and lint: unit tests, then the window in a browser and in the desktop app.
// Runs all of them also after one has failed, so that one run tells everything.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { ensureChromium, ensureGit, ensurePython } from './setup.mjs';

await ensureGit();
await ensurePython();
await ensureChromium();
const node = requireNode();

/** Resolves to whether the command ended well. What it says is shown as it comes, or in one piece at its end. */
function run(name, args, isShownAtEnd = false) {
  if (!isShownAtEnd) console.log(`\n--- ${name}`);
  return new Promise(resolve => {
    const said = [];
    const child = spawn(
      node,
      args.map(part => (part.includes('/') ? join(root, part) : part)),
      { cwd: root, stdio: isShownAtEnd ? ['ignore', 'pipe', 'pipe'] : 'inherit' },
    );
    for (const pipe of [child.stdout, child.stderr]) pipe?.on('data', chunk => said.push(chunk));
    child.on('error', () => resolve(false));
    child.on('close', code => {
      if (isShownAtEnd) process.stdout.write(`\n--- ${name}\n${Buffer.concat(said)}`);
      resolve(code === 0);
    });
  });
}

const playwright = 'node_modules/@playwright/test/cli.js';
const results = [
  await run('build', ['node_modules/electron-vite/bin/electron-vite.js', 'build', '--logLevel', 'warn']),
  await run('unit tests', ['node_modules/vitest/vitest.mjs', 'run']),
  // Beside each other: most of their time they wait for trainings.
  ...(await Promise.all([
    run('window in a browser', [playwright, 'test', '-c', 'e2e/web/playwright.config.ts']),
    run('window in the desktop app', [playwright, 'test', '-c', 'e2e/electron/playwright.config.ts'], true),
  ])),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
