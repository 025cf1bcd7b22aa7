import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** What the launcher builds if it is missing or older than its sources, and starts. */
export const BUILT = fileURLToPath(new URL('../../out/cli/pawl.cjs', import.meta.url));
export const LAUNCHER = fileURLToPath(new URL('../../scripts/pawl.mjs', import.meta.url));

export function startNode(
  node: string,
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(node, args, {
    cwd: home,
    env: { ...process.env, NODE_OPTIONS: undefined, VITEST: undefined, ...env, PAWL_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

export function endOf(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', text => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  return new Promise(resolve => child.on('close', code => resolve({ code, stdout, stderr })));
}
