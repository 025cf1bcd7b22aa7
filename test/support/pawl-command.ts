import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The script that Node runs as `pawl`, as for users: every test that starts the terminal host starts this one. */
export const PAWL_MAIN = join(ROOT, 'out/cli/main.cjs');

/** Node's compile cache (`NODE_COMPILE_CACHE`), in the launcher's folder: it halves the time of a start. */
export const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/pawl/compiled');

/** Builds {@link PAWL_MAIN} if its sources have changed. Runners call it before all tests. */
export async function buildPawl(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/pawl.mjs'), '--version']);
}
