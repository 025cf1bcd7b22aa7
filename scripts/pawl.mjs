#!/usr/bin/env node
// The `pawl` command of a checkout: builds the terminal host if its sources have changed, and starts it, in this
// process if this Node is recent enough. Every start waits for the modules loaded here; hence `require`, which is
// faster than `import`.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { readFileSync, statSync } = require('node:fs');
const built = require.resolve('../package.json').replace(/package\.json$/, 'out/cli');

/**
 * Whether the bundle was made from the current files: same size and time, to the millisecond because copies keep no
 * more.
 */
function isFresh() {
  try {
    const inputs = JSON.parse(readFileSync(`${built}/inputs.json`, 'utf8'));
    return Object.entries(inputs).every(([path, [size, time]]) => {
      const stat = statSync(`${built}/../../${path}`);
      return stat.size === size && Math.floor(stat.mtimeMs) === time;
    });
  } catch {
    return false;
  }
}

if (!isFresh()) {
  const { prepareTerminal } = await import('./prepare-terminal.mjs');
  await prepareTerminal();
}
// Nodes from 22.18 on, the oldest supported, strip types without a flag; see `find-node.mjs`.
if (process.features.typescript) {
  require(`${built}/pawl.cjs`);
} else {
  const { requireNode } = await import('./find-node.mjs');
  const { runInOwnSession } = require(`${built}/own-session.cjs`);
  runInOwnSession(requireNode(), `${built}/pawl.cjs`, process.argv.slice(2));
}
