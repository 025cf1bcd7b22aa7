import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { GpuSample, GpuState } from '../../shared/telemetry.ts';
import { findProgram } from '../contract/find-command.ts';
import { LineSplitter } from '../metrics/line-splitter.ts';
import {
  findRejectedMeasures,
  GPU_MEASURES,
  type GpuMeasure,
  gpuQueryArguments,
  parseGpuRow,
} from './gpu-query.ts';

const TOOL = 'nvidia-smi';
/** A chart of a night needs no more, and the driver is asked while it works. */
const INTERVAL_MS = 1000;
/** A tool that dies once, in a driver update or a GPU reset, is back soon. */
const FIRST_BACKOFF_MS = 1000;
/** A tool that keeps dying costs a process a minute, and a mended driver is seen within one. */
const MAX_BACKOFF_MS = 60_000;
/** Ten intervals: a loaded machine is late by one or two, a driver that hangs says nothing for ever. */
const SILENCE_MS = 10_000;
/** Five intervals: a GPU that fell off the bus is gone from the picture before it misleads. */
const STALE_MS = 5000;
/** What a dead tool left in its pipes is there at once; only a descendant that holds them open takes longer. */
const DRAIN_MS = 1000;
/** A driver's complaint is a line or two. */
const MAX_SAID_CHARACTERS = 1000;

/** Times in milliseconds; each has a default. */
export type GpuSamplerOptions = {
  /** `nvidia-smi` is looked for on its PATH and started with it. */
  readonly environment: NodeJS.ProcessEnv;
  /** From one row of a GPU to the next. */
  readonly intervalMs?: number;
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Without a row for this long the tool is killed. */
  readonly silenceMs?: number;
  /** A GPU without a row for this long is left out. */
  readonly staleMs?: number;
  /** A clock that is never set back. */
  readonly now?: () => number;
  /** Waits before a restart; may reject when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called after every row and every change of state, but not by `stop`. */
  readonly onUpdate?: () => void;
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

/**
 * The newest row of every NVIDIA GPU, from one long-lived `nvidia-smi`, which costs the driver far less than a
 * process per sample. Other makers' GPUs are not covered, nor are the instances of a GPU split by MIG.
 */
export class GpuSampler {
  readonly #options: Required<GpuSamplerOptions>;
  readonly #rows = new Map<number, { readonly sample: GpuSample; readonly at: number }>();
  #state: GpuState = { kind: 'starting' };
  #session: AbortController | null = null;

  constructor(options: GpuSamplerOptions) {
    this.#options = {
      intervalMs: INTERVAL_MS,
      firstBackoffMs: FIRST_BACKOFF_MS,
      maxBackoffMs: MAX_BACKOFF_MS,
      silenceMs: SILENCE_MS,
      staleMs: STALE_MS,
      now: () => performance.now(),
      wait: (ms, signal) => delay(ms, undefined, { ref: false, signal }),
      onUpdate: () => {},
      ...options,
    };
  }

  /** Why {@link gpus} is filled or empty; `starting` when stopped. */
  get state(): GpuState {
    return this.#state;
  }

  /** The GPUs that have reported lately, by index. */
  gpus(): readonly GpuSample[] {
    const oldest = this.#options.now() - this.#options.staleMs;
    for (const [index, row] of this.#rows) if (row.at < oldest) this.#rows.delete(index);
    return [...this.#rows.values()].map(row => row.sample).sort((a, b) => a.index - b.index);
  }

  /** Does nothing where it has started. */
  start(): void {
    if (this.#session) return;
    this.#session = new AbortController();
    void this.#supervise(this.#session.signal);
  }

  /** Kills the tool and forgets its rows. It may be started again. */
  stop(): void {
    this.#session?.abort();
    this.#session = null;
    this.#rows.clear();
    this.#state = { kind: 'starting' };
  }

  async #supervise(signal: AbortSignal): Promise<void> {
    const { environment, firstBackoffMs, maxBackoffMs, silenceMs, wait } = this.#options;
    const tool = await findProgram(TOOL, environment.PATH ?? '');
    if (signal.aborted) return;
    if (!tool) return this.#enter({ kind: 'none' });
    let measures = GPU_MEASURES;
    let failures = 0;
    while (!signal.aborted) {
      // Many GPUs whose driver is not kept loaded can take longer than this to answer first, so it grows too.
      const patienceMs = backoffMs(failures + 1, silenceMs, Math.max(silenceMs, maxBackoffMs));
      const end = await this.#runTool(tool, measures, patienceMs, signal).catch(describeSpawnFailure);
      if (signal.aborted) return;
      const rejected = end.code === 0 ? [] : findRejectedMeasures(end.said);
      const accepted = measures.filter(measure => !rejected.includes(measure));
      if (accepted.length < measures.length) {
        measures = accepted;
        continue;
      }
      // One row proves little: a tool may die after its first each time.
      failures = end.sampledMs >= maxBackoffMs ? 1 : failures + 1;
      this.#enter({ kind: 'failing', message: end.message });
      await wait(backoffMs(failures, firstBackoffMs, maxBackoffMs), signal).catch(() => {});
    }
  }

  /**
   * Resolves when the tool is dead, and not before: one that hangs inside the driver outlives its SIGKILL, and
   * others started meanwhile would pile up behind it.
   */
  async #runTool(
    tool: string,
    measures: readonly GpuMeasure[],
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<ToolEnd> {
    const { environment, intervalMs, silenceMs, now } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<ToolEnd>();
    const child = spawn(tool, gpuQueryArguments(measures, intervalMs), {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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
    const watch = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        silence = said || `${TOOL} has given nothing for ${ms / 1000} s.`;
        this.#enter({ kind: 'failing', message: silence });
        kill();
      }, ms).unref();
    };
    const onStdout = (line: string) => {
      const sample = parseGpuRow(line, measures);
      if (!sample) return onOther(line);
      if (signal.aborted) return;
      said = '';
      firstRowAt ??= now();
      watch(silenceMs);
      this.#rows.set(sample.index, { sample, at: now() });
      this.#enter({ kind: 'sampling' });
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

  #enter(state: GpuState): void {
    this.#state = state;
    this.#options.onUpdate();
  }
}

function describeSpawnFailure(error: unknown): ToolEnd {
  const message = `${TOOL} could not be started: ${error instanceof Error ? error.message : String(error)}`;
  return { code: null, said: '', message, sampledMs: 0 };
}
