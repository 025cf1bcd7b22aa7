import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { GpuState } from '../../shared/telemetry.ts';
import { LineSplitter } from '../metrics/line-splitter.ts';
import { findNvidiaSmi } from './find-nvidia-smi.ts';

const TOOL = 'nvidia-smi';
/** A tool that dies once, in a driver update or a GPU reset, is back soon. */
export const FIRST_BACKOFF_MS = 1000;
/** A tool that keeps dying costs a process a minute, and a mended driver is seen within one. */
export const MAX_BACKOFF_MS = 60_000;
/** What a dead tool left in its pipes is there at once; only a descendant that holds them open takes longer. */
const DRAIN_MS = 1000;
/** A driver's complaint is a line or two. */
const MAX_SAID_CHARACTERS = 1000;

export type SmiToolOptions = {
  /** `nvidia-smi` is looked for on its PATH and started with it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Asked for each start. */
  readonly args: () => readonly string[];
  /** Takes a line and says whether it was a row. */
  readonly onLine: (line: string) => boolean;
  readonly onState: (state: GpuState) => void;
  /** Called with what it said at its end; true starts it again at once, because other arguments may do. */
  readonly onRejected: (said: string) => boolean;
  /** Without a row for this long it is killed; null where silence says nothing. */
  readonly silenceMs: number | null;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
};

type ToolEnd = {
  readonly code: number | null;
  /** What it said since its last row. */
  readonly said: string;
  readonly message: string;
  /** From its first row to its end; 0 without a row. */
  readonly sampledMs: number;
};

/** From the first failure on: first, twice, four times, … up to the maximum. In milliseconds. */
export function backoffMs(failures: number, firstMs = FIRST_BACKOFF_MS, maxMs = MAX_BACKOFF_MS): number {
  return Math.min(maxMs, firstMs * 2 ** (failures - 1));
}

/** Keeps one long-lived `nvidia-smi` running until the signal aborts: started again with growing waits when it dies. */
export async function keepSmiTool(options: SmiToolOptions, signal: AbortSignal): Promise<void> {
  const { environment, firstBackoffMs, maxBackoffMs, silenceMs, wait, onState, onRejected } = options;
  const tool = await findNvidiaSmi(environment);
  if (signal.aborted) return;
  if (!tool) return onState({ kind: 'none' });
  let failures = 0;
  while (!signal.aborted) {
    // Many GPUs without a persistent driver can take longer than this to answer first, so it grows too.
    const patienceMs =
      silenceMs === null ? null : backoffMs(failures + 1, silenceMs, Math.max(silenceMs, maxBackoffMs));
    const end = await runTool(tool, options, patienceMs, signal).catch(describeSpawnFailure);
    if (signal.aborted) return;
    if (end.code !== 0 && onRejected(end.said)) continue;
    // One row proves little: a tool may die after its first each time.
    failures = end.sampledMs >= maxBackoffMs ? 1 : failures + 1;
    onState({ kind: 'failing', message: end.message });
    await wait(backoffMs(failures, firstBackoffMs, maxBackoffMs), signal).catch(() => {});
  }
}

/**
 * Resolves when the tool is dead, and not before: one that hangs inside the driver outlives its SIGKILL, and
 * others started meanwhile would pile up behind it.
 */
async function runTool(
  tool: string,
  options: SmiToolOptions,
  patienceMs: number | null,
  signal: AbortSignal,
): Promise<ToolEnd> {
  const { environment, args, silenceMs, now, onLine, onState } = options;
  const { promise, resolve, reject } = Promise.withResolvers<ToolEnd>();
  const child = spawn(tool, args(), { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  // Not started; the pipes are missing too where it was for want of file descriptors.
  if (child.pid === undefined) {
    child.on('error', reject);
    return promise;
  }
  // Could not be killed, so it is still there to be waited for.
  child.on('error', () => {});

  let said = '';
  let firstRowAt: number | null = null;
  let silence: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const kill = () => child.kill('SIGKILL');
  const watch = (ms: number | null) => {
    clearTimeout(timer);
    if (ms === null) return;
    timer = setTimeout(() => {
      silence = said || `${TOOL} has printed nothing for ${ms / 1000} s.`;
      onState({ kind: 'failing', message: silence });
      kill();
    }, ms).unref();
  };
  const onStdout = (line: string) => {
    if (signal.aborted) return;
    if (!onLine(line)) return onOther(line);
    said = '';
    firstRowAt ??= now();
    watch(silenceMs);
    onState({ kind: 'sampling' });
  };
  const onOther = (line: string) => {
    said = `${said} ${line.trim()}`.trim().slice(0, MAX_SAID_CHARACTERS);
  };

  const stdout = new LineSplitter(onStdout);
  const stderr = new LineSplitter(onOther);
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
  // A tool that hangs does not notice that nobody reads any more.
  process.once('exit', kill);
  signal.addEventListener('abort', kill, { once: true });
  watch(patienceMs);
  child.on('exit', () => {
    process.off('exit', kill);
    signal.removeEventListener('abort', kill);
    const drain = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS).unref();
    child.on('close', () => clearTimeout(drain));
  });
  child.on('close', (code, signalName) => {
    clearTimeout(timer);
    stderr.end();
    resolve({
      code,
      said,
      message: silence ?? (said || `${TOOL} ended with ${code ?? signalName} and said nothing.`),
      sampledMs: firstRowAt === null ? 0 : now() - firstRowAt,
    });
  });
  return promise;
}

function describeSpawnFailure(error: unknown): ToolEnd {
  const message = `${TOOL} could not be started: ${error instanceof Error ? error.message : String(error)}`;
  return { code: null, said: '', message, sampledMs: 0 };
}
