// Prepares the first start, and every start after the sources have changed. Runs under any Node from 18 on.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode, root } from './find-node.mjs';
import { ensureGit } from './setup.mjs';

/**
 * Makes sure that there is a git and that the terminal host is built; otherwise ends the process with a message that
 * says what is missing.
 */
export async function prepareTerminal() {
  if (!existsSync(join(root, 'node_modules', 'vite'))) {
    console.error('pawl: dependencies are missing. Run "npm ci" in the checkout first.');
    process.exit(2);
  }
  const node = requireNode();
  await ensureGit();
  const builder = join(root, 'scripts', 'terminal-bundle.mjs');
  // On stderr, because a program may read the command's output.
  const { status } = spawnSync(node, [builder], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error('pawl: the terminal host could not be built; what is wrong stands above.');
  process.exit(1);
}
