#!/usr/bin/env node
// The `pawl` command of a checkout: hands over to a Node that is recent enough.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { ensureGit } from './setup.mjs';

if (!existsSync(join(root, 'node_modules', 'zod'))) {
  console.error('pawl: dependencies are missing. Run "npm ci" in the checkout first.');
  process.exit(2);
}
const node = requireNode();
await ensureGit();

const child = spawn(node, [join(root, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child through the terminal; this process only has to outlive it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', error => {
  console.error(`pawl: cannot start ${node}: ${error.message}`);
  process.exit(2);
});
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code ?? 1);
  }
});
