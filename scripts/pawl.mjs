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

// A session of its own keeps Ctrl-C away from the git processes the engine runs; the engine is told by signal.
// The channel tells it when this process dies in a way that can pass nothing on.
const child = spawn(node, [join(root, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  detached: true,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', error => {
  console.error(`pawl: cannot start ${node}: ${error.message}`);
  process.exit(2);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
