import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { VERSION } from '../shared/version.ts';
import { runInOwnSession } from './own-session.ts';

/** The entry point of `pawl`. It loads only what the command needs, because loading delays every start. */

/** Commands that run the engine, which must survive Ctrl-C until it has stopped cleanly. */
const WITH_ENGINE = ['run', 'resume', 'demo', 'serve'];

const args = process.argv.slice(2);
const [first = ''] = args;
if (args.length === 1 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else if (WITH_ENGINE.includes(first) && !process.connected) {
  runInOwnSession(process.execPath, import.meta.filename, args);
} else {
  // Next to the bundle, so that both are deleted together; without write permission there is no cache.
  enableCompileCache(join(import.meta.dirname, 'compiled'));
  void import('./main.ts');
}
