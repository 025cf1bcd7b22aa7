import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a Node runs as `pawl`: every test that starts the terminal host starts the bundle that users do. */
export const PAWL_MAIN = join(ROOT, 'out/cli/pawl.cjs');

/** Where Node keeps what it has compiled (`NODE_COMPILE_CACHE`), the launcher's folder: a start costs half with it. */
export const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/pawl/compiled');
