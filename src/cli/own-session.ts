import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs one of Pawl's scripts in a new session and ends this process when the script ends. The session keeps Ctrl-C
 * away from the processes that the engine starts; this process forwards it to the engine as a signal. If this process
 * dies without forwarding anything, the engine notices that the channel closes. Also runs under an older Node than
 * the script needs.
 */
export function runInOwnSession(node: string, script: string, args: readonly string[]): void {
  const child = spawn(node, [script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', error => {
    console.error(`pawl: cannot start ${node}: ${error.message}`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}
