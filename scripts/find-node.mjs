// Finds a Node that can run Pawl. Runs under any Node from 18 on, so it uses nothing newer.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Type stripping without a flag and `node:sqlite`-era fixes arrived here; better-sqlite3 needs 22 at least. */
const LEAST = [22, 18];

function isRecentEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}

/** Path of the Node npm installed beside us, else the running one if it is recent enough, else undefined. */
export function findNode() {
  const installed = [
    join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node'),
    join(root, 'node_modules', `node-win-${process.arch}`, 'bin', 'node.exe'),
  ].find(existsSync);
  if (installed) return installed;
  return isRecentEnough(process.versions.node) ? process.execPath : undefined;
}

/** Ends the process with one line that says which Node is missing and how to get it. */
export function requireNode() {
  const node = findNode();
  if (node) return node;
  console.error(
    `pawl: needs Node ${LEAST.join('.')} or newer (this is ${process.versions.node}). ` +
      'Run "npm ci" in the checkout, which brings one on Linux and Windows, or install it from nodejs.org.',
  );
  process.exit(2);
}
