import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a script of Pawl in a session of its own and ends this process as the script ends. The session keeps Ctrl-C away
 * from the processes that the engine starts; the engine is told by signal. The channel tells it when this process dies
 * in a way that can pass nothing on. Also runs under an older Node than the script needs.
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
