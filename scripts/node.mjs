// Runs a file under the Node that Pawl needs, whichever Node runs this: `node scripts/node.mjs <file> [arguments]`.
import { spawn } from 'node:child_process';
import { requireNode } from './find-node.mjs';

const child = spawn(requireNode(), process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', code => process.exit(code ?? 1));
