#!/usr/bin/env node
// The `pawl` command of a checkout: hands over to a Node that is recent enough.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { ensureGit } from './setup.mjs';

if (!existsSync(join(root, 'node_modules', 'zod'))) {
  console.error('pawl: dependencies are missing. Run "npm ci" in the checkout first.');
  process.exit(2);
}
const node = requireNode();
await ensureGit();

// A session of its own keeps Ctrl-C away from the git processes the engine runs; the engine is told by signal.
// The channel tells it when this process dies in a way that can pass nothing on.
const child = spawn(node, [join(root, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  // Stripped TypeScript is kept beside the dependencies, which halves the start.
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'pawl', 'compiled'), ...process.env },
  detached: true,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', error => {
  console.error(`pawl: cannot start ${node}: ${error.message}`);
  process.exit(2);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
