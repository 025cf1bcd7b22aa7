import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { VERSION } from '../shared/version.ts';
import { runInOwnSession } from './own-session.ts';

/** What `pawl` starts. It loads what the command needs and nothing before that, because every start is waited for. */

/** Commands that run the engine, which has to outlive a Ctrl-C until it has stopped by itself. */
const WITH_ENGINE = ['run', 'resume', 'demo', 'serve'];

const args = process.argv.slice(2);
const [first = ''] = args;
if (args.length === 1 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else if (WITH_ENGINE.includes(first) && !process.connected) {
  runInOwnSession(process.execPath, import.meta.filename, args);
} else {
  // Beside the bundle, with which it is thrown away; where that may not be written there is none.
  enableCompileCache(join(import.meta.dirname, 'compiled'));
  void import('./main.ts');
}
