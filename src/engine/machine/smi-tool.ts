import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { GpuState } from '../../shared/machines/telemetry.ts';
import { LineSplitter } from '../metrics/line-splitter.ts';
import { findNvidiaSmi } from './find-nvidia-smi.ts';

const TOOL = 'nvidia-smi';
/** A tool that dies once, for instance in a driver update or a GPU reset, is soon restarted. */
export const FIRST_BACKOFF_MS = 1000;
/** A tool that keeps dying costs one process per minute, and a repaired driver is noticed within a minute. */
export const MAX_BACKOFF_MS = 60_000;
/** The last output of a dead tool is available at once, unless a descendant keeps its pipes open. */
const DRAIN_MS = 1000;
/** A driver's error message has a line or two. */
const MAX_SAID_CHARACTERS = 1000;

export type SmiToolOptions = {
  /** `nvidia-smi` is searched on its PATH and started with it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Called at each start. */
  readonly args: () => readonly string[];
  /** Reads a line; returns whether it was a row. */
  readonly onLine: (line: string) => boolean;
  readonly onState: (state: GpuState) => void;
  /** Called with its last message when it ends; true restarts it at once, because other arguments may work. */
  readonly onRejected: (said: string) => boolean;
  /** After this long without a row, it is killed; null if silence is normal. */
  readonly silenceMs: number | null;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
};

type ToolEnd = {
  readonly code: number | null;
  /** Its output since the last row. */
  readonly said: string;
  readonly message: string;
  /** From its first row to its end; 0 if it printed no row. */
  readonly sampledMs: number;
};

/** The wait after a number of failures: `firstMs`, doubled each time, up to the maximum. In milliseconds. */
export function backoffMs(failures: number, firstMs = FIRST_BACKOFF_MS, maxMs = MAX_BACKOFF_MS): number {
  return Math.min(maxMs, firstMs * 2 ** (failures - 1));
}

/** Keeps one long-lived `nvidia-smi` running until the signal aborts; restarts it with growing waits when it dies. */
export async function keepSmiTool(options: SmiToolOptions, signal: AbortSignal): Promise<void> {
  const { environment, firstBackoffMs, maxBackoffMs, silenceMs, wait, onState, onRejected } = options;
  const tool = await findNvidiaSmi(environment);
  if (signal.aborted) return;
  if (!tool) return onState({ kind: 'none' });
  let failures = 0;
  while (!signal.aborted) {
    // With many GPUs and no persistence mode, the first answer can take longer than this, so the patience grows too.
    const patienceMs =
      silenceMs === null ? null : backoffMs(failures + 1, silenceMs, Math.max(silenceMs, maxBackoffMs));
    const end = await runTool(tool, options, patienceMs, signal).catch(describeSpawnFailure);
    if (signal.aborted) return;
    if (end.code !== 0 && onRejected(end.said)) continue;
    // A single row proves little: a tool may die after its first row each time.
    failures = end.sampledMs >= maxBackoffMs ? 1 : failures + 1;
    onState({ kind: 'failing', message: end.message });
    await wait(backoffMs(failures, firstBackoffMs, maxBackoffMs), signal).catch(() => {});
  }
}

/**
 * Resolves only when the tool is dead: one that hangs inside the driver survives SIGKILL, and further ones would pile
 * up behind it.
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
  // It did not start; without free file descriptors, the pipes are missing too.
  if (child.pid === undefined) {
    child.on('error', reject);
    return promise;
  }
  // Killing it failed, so it still runs and is waited for.
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
  // A hanging tool does not notice that its reader is gone.
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
