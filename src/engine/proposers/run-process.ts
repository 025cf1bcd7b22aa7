import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { withoutGitVariables } from '../repo/git.ts';
import { RUN_MARKER } from '../training/environment.ts';
import { KILL_TIMES, killTree } from '../training/kill-tree.ts';
import { readIdentity } from '../training/process-table.ts';
import { ResourceSampler } from '../training/resource-sampler.ts';

/** How long to wait for the end of the output of a process tree that is gone. */
const DRAIN_MS = 2_000;
const STDERR_CHARACTERS = 4_000;

export type ProcessOptions = {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Goes to stdin, which then ends. */
  readonly input: string;
  readonly timeoutSeconds: number;
  /** More output than this, on stdout and stderr together, ends it. */
  readonly maxBytes: number;
  /** What messages call it. */
  readonly what: string;
};

export type ProcessResult =
  | { readonly kind: 'output'; readonly stdout: string; readonly stderr: string }
  | {
      readonly kind: 'failed';
      readonly why: 'exit' | 'timeout' | 'flooded' | 'not_started' | 'stopped';
      readonly message: string;
      readonly stdout: string;
      /** Its last characters. */
      readonly stderr: string;
    };

/**
 * Runs a proposer's process to its end and ends whatever it leaves behind. Rejects with an AbortError when the signal is
 * aborted, once everything is gone.
 */
export async function runProcess(
  options: ProcessOptions,
  { marker, signal }: { readonly marker: string; readonly signal: AbortSignal },
): Promise<ProcessResult> {
  signal.throwIfAborted();
  const { what, timeoutSeconds, maxBytes } = options;
  const [program, ...args] = options.argv;
  const child = spawn(program, args, {
    cwd: options.cwd,
    // A session of its own, so that the whole tree can be ended.
    detached: true,
    env: { ...withoutGitVariables(options.environment), [RUN_MARKER]: marker },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const root = child.pid === undefined ? null : readIdentity(child.pid);
  const sampler = child.pid === undefined ? null : new ResourceSampler(child.pid);
  const stdout: Buffer[] = [];
  let stderr = '';
  let bytes = 0;
  // A process may ignore its input and end before it was written.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);

  type End = {
    readonly why: Extract<ProcessResult, { kind: 'failed' }>['why'] | null;
    readonly message: string;
  };
  const ended = new AbortController();
  const end = await new Promise<End>(resolve => {
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes)
        resolve({ why: 'flooded', message: `${what} printed more than ${maxBytes} bytes.` });
      return bytes <= maxBytes;
    };
    child.stdout.on('data', (chunk: Buffer) => count(chunk) && stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (count(chunk)) stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_CHARACTERS);
    });
    child.on('error', error =>
      resolve({ why: 'not_started', message: `${what} could not be started: ${error.message}` }),
    );
    // Not `close`: something in the background may hold the output open for as long as it likes.
    child.on('exit', (code, signalName) => {
      const said = stderr.trim().slice(-500) || 'no message';
      if (code === 0) resolve({ why: null, message: '' });
      else resolve({ why: 'exit', message: `${what} ended with ${code ?? signalName}: ${said}` });
    });
    const timer = setTimeout(
      () => resolve({ why: 'timeout', message: `${what} took longer than ${timeoutSeconds} s.` }),
      timeoutSeconds * 1000,
    );
    ended.signal.addEventListener('abort', () => clearTimeout(timer));
    signal.addEventListener('abort', () => resolve({ why: 'stopped', message: 'Stopped by the user.' }), {
      signal: ended.signal,
    });
  });
  ended.abort();
  sampler?.stop();
  const closed = child.pid === undefined ? null : once(child, 'close');
  const tracked = [...(sampler?.tracked.values() ?? [])];
  await killTree({ hasMarker: found => found === marker, root, tracked }, KILL_TIMES, {
    ask: end.why !== null,
  });
  signal.throwIfAborted();
  // With every process gone the pipes end, and what is still in them has come.
  if (closed && !child.stdout.readableEnded)
    await Promise.race([closed, delay(DRAIN_MS, undefined, { ref: false })]);
  const output = { stdout: Buffer.concat(stdout).toString('utf8'), stderr };
  return end.why === null
    ? { kind: 'output', ...output }
    : { kind: 'failed', why: end.why, message: end.message, ...output };
}
