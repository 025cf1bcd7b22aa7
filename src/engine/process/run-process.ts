import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { formatSeconds } from '../../shared/numbers.ts';
import { withoutGitVariables } from '../git/git.ts';
import { awakeDelay } from './awake-clock.ts';
import { RUN_MARKER } from './environment.ts';
import { KILL_TIMES, killTree } from './kill-tree.ts';
import { readIdentity } from './process-table.ts';
import { ResourceSampler } from './resource-sampler.ts';

/** How long to wait for the rest of the output once the process tree is gone. */
const DRAIN_MS = 2_000;
const STDERR_CHARACTERS = 4_000;

export type ProcessOptions = {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /**
   * Either text for stdin, which is then closed; or a conversation over both streams, and when it ends, the process
   * is ended.
   */
  readonly input: string | ((streams: Streams) => Promise<void>);
  /** Called with each line of stdout and stderr; true ends the process. */
  readonly onLine?: (line: string) => boolean;
  readonly timeoutSeconds: number;
  /** If stdout and stderr together are longer, the process is ended. */
  readonly maxBytes: number;
  /** Its name in messages. */
  readonly what: string;
};

export type Streams = { readonly stdin: Writable; readonly stdout: Readable };

export type ProcessResult =
  | { readonly kind: 'output'; readonly stdout: string; readonly stderr: string }
  | {
      readonly kind: 'failed';
      readonly why: 'exit' | 'timeout' | 'flooded' | 'not_started' | 'stopped' | 'hopeless';
      readonly message: string;
      readonly stdout: string;
      /** The last characters of stderr. */
      readonly stderr: string;
    };

/**
 * Runs a proposer's process to its end, and ends whatever processes it leaves. Rejects with an AbortError when the
 * signal is aborted, once all of them are gone.
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
    // In a session of its own, so that the whole tree can be ended.
    detached: true,
    env: { ...withoutGitVariables(options.environment), [RUN_MARKER]: marker },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const root = child.pid === undefined ? null : readIdentity(child.pid);
  const sampler = child.pid === undefined ? null : new ResourceSampler(child.pid);
  const stdout: Buffer[] = [];
  let stderr = '';
  let bytes = 0;
  // A process may end before it has read its input.
  child.stdin.on('error', () => {});
  const { input, onLine } = options;
  const heard = typeof input === 'string' ? null : new PassThrough();
  if (typeof input === 'string') child.stdin.end(input);

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
    const lines = onLine && { stdout: new LineReader(onLine), stderr: new LineReader(onLine) };
    const watch = (reader: LineReader | undefined, chunk: Buffer) => {
      if (reader?.read(chunk)) resolve({ why: 'hopeless', message: `${what} was ended.` });
    };
    child.stdout.on('data', (chunk: Buffer) => {
      if (!count(chunk)) return;
      if (heard) heard.write(chunk);
      else stdout.push(chunk);
      watch(lines?.stdout, chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (!count(chunk)) return;
      stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_CHARACTERS);
      watch(lines?.stderr, chunk);
    });
    child.on('error', error =>
      resolve({ why: 'not_started', message: `${what} could not be started: ${error.message}` }),
    );
    // Not `close`: a background process may keep the output open.
    child.on('exit', (code, signalName) => {
      const said = stderr.trim().slice(-500) || 'no message';
      if (code === 0) resolve({ why: null, message: '' });
      else resolve({ why: 'exit', message: `${what} ended with ${code ?? signalName}: ${said}` });
    });
    if (heard && typeof input !== 'string') {
      input({ stdin: child.stdin, stdout: heard }).then(
        () => resolve({ why: null, message: '' }),
        error => resolve({ why: 'exit', message: `${what}: ${(error as Error).message}` }),
      );
    }
    awakeDelay(timeoutSeconds * 1000, ended.signal).then(
      () =>
        resolve({ why: 'timeout', message: `${what} took longer than ${formatSeconds(timeoutSeconds)}.` }),
      () => {},
    );
    signal.addEventListener('abort', () => resolve({ why: 'stopped', message: 'Stopped by the user.' }), {
      signal: ended.signal,
    });
  });
  ended.abort();
  heard?.end();
  sampler?.stop();
  const closed = child.pid === undefined ? null : once(child, 'close');
  const tracked = [...(sampler?.tracked.values() ?? [])];
  await killTree({ hasMarker: found => found === marker, root, tracked }, KILL_TIMES, {
    // After a conversation the process still waits for input, so it is asked to end.
    ask: end.why !== null || heard !== null,
  });
  signal.throwIfAborted();
  // Once every process is gone, the pipes end and their content has arrived.
  if (closed && !child.stdout.readableEnded)
    await Promise.race([closed, delay(DRAIN_MS, undefined, { ref: false })]);
  const output = { stdout: Buffer.concat(stdout).toString('utf8'), stderr };
  return end.why === null
    ? { kind: 'output', ...output }
    : { kind: 'failed', why: end.why, message: end.message, ...output };
}

/** A longer line contains a file, and no caller looks for that. */
const MAX_LINE = 64 * 1024;

/** Splits chunks into lines; leaves out lines that are too long. */
class LineReader {
  readonly #onLine: (line: string) => boolean;
  #rest = '';
  #isSkipping = false;

  constructor(onLine: (line: string) => boolean) {
    this.#onLine = onLine;
  }

  /** Returns whether a line asked for the process to be ended. */
  read(chunk: Buffer): boolean {
    const [first = '', ...others] = chunk.toString('utf8').split('\n');
    const lines = [this.#rest + first, ...others];
    this.#rest = lines.pop() ?? '';
    let isOver = false;
    for (const line of lines) {
      if (!this.#isSkipping && line.length <= MAX_LINE && this.#onLine(line)) isOver = true;
      this.#isSkipping = false;
    }
    if (this.#rest.length > MAX_LINE) {
      this.#isSkipping = true;
      this.#rest = '';
    }
    return isOver;
  }
}
