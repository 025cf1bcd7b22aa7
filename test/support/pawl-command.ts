import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The script that a Node runs as `pawl`: every test that starts the terminal host starts this one. */
export const PAWL_MAIN = join(ROOT, 'src/cli/main.ts');

/** Where Node keeps what it has compiled (`NODE_COMPILE_CACHE`), the launcher's folder: a start costs half with it. */
export const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/pawl/compiled');
