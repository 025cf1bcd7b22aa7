import { setTimeout as delay } from 'node:timers/promises';
import type { GpuInstance, GpuProcess, GpuSample, GpuState } from '../../shared/machines/telemetry.ts';
import { gpuProcessArguments, parseGpuProcess } from './gpu-processes.ts';
import { findRejectedMeasures, GPU_MEASURES, gpuQueryArguments, parseGpuRow } from './gpu-query.ts';
import { listMigInstances } from './mig-instances.ts';
import { FIRST_BACKOFF_MS, keepSmiTool, MAX_BACKOFF_MS } from './smi-tool.ts';

/** A chart of a night needs no more, and each query makes the driver work. */
const INTERVAL_MS = 1000;
/** Ten intervals: a busy machine is one or two late; a hanging driver never prints again. */
const SILENCE_MS = 10_000;
/** Five intervals: a GPU that fell off the bus disappears before it misleads. */
export const STALE_MS = 5000;

/** Times in milliseconds; each has a default. */
export type GpuSamplerOptions = {
  /** `nvidia-smi` is searched on its PATH and started with it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Between two rows of a GPU. */
  readonly intervalMs?: number;
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** After this long without a row, the tool is killed. */
  readonly silenceMs?: number;
  /** A GPU or a process without a row for this long is left out. */
  readonly staleMs?: number;
  /** A monotonic clock. */
  readonly now?: () => number;
  /** Waits before a restart; may reject when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called after every row and every change of state, except by `stop`. */
  readonly onUpdate?: () => void;
  /** Whether to list processes too, with a second tool. */
  readonly hasProcesses?: boolean;
};

/**
 * Samples every NVIDIA GPU with one long-lived `nvidia-smi`, which costs the driver far less than a process per
 * sample, and the compute processes with another. If a GPU is split by MIG, its instances are listed once per start
 * of the tool; the driver measures nothing else about them.
 */
export class GpuSampler {
  readonly #options: Required<GpuSamplerOptions>;
  readonly #rows = new Map<number, { readonly sample: GpuSample; readonly at: number }>();
  readonly #processes = new Map<string, { readonly process: GpuProcess; readonly at: number }>();
  #instances: ReadonlyMap<string, readonly GpuInstance[]> | null = null;
  #isListing = false;
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
      hasProcesses: false,
      ...options,
    };
  }

  /** Why {@link gpus} is filled or empty; `starting` after a stop. */
  get state(): GpuState {
    return this.#state;
  }

  /** The GPUs that have reported recently, by index. */
  gpus(): readonly GpuSample[] {
    const oldest = this.#options.now() - this.#options.staleMs;
    for (const [index, row] of this.#rows) if (row.at < oldest) this.#rows.delete(index);
    for (const [key, row] of this.#processes) if (row.at < oldest) this.#processes.delete(key);
    const processes = [...this.#processes.values()].map(row => row.process);
    return [...this.#rows.values()]
      .map(({ sample }) => {
        const instances = this.#instances?.get(sample.uuid) ?? [];
        const names = [sample.uuid, ...instances.map(({ uuid }) => uuid)];
        const own = processes.filter(({ uuid }) => names.includes(uuid));
        return {
          ...sample,
          ...(instances.length > 0 && { instances }),
          ...(own.length > 0 && { processes: own }),
        };
      })
      .sort((a, b) => a.index - b.index);
  }

  /** Does nothing if already started. */
  start(): void {
    if (this.#session) return;
    this.#session = new AbortController();
    const { signal } = this.#session;
    const { intervalMs, hasProcesses, now } = this.#options;
    let measures = GPU_MEASURES;
    void keepSmiTool(
      {
        ...this.#options,
        args: () => gpuQueryArguments(measures, intervalMs),
        onLine: line => {
          const sample = parseGpuRow(line, measures);
          if (sample) this.#rows.set(sample.index, { sample, at: now() });
          if (sample?.migMode === 1) this.#askForInstances(signal);
          return sample !== null;
        },
        onRejected: said => {
          const rejected = findRejectedMeasures(said);
          const accepted = measures.filter(measure => !rejected.includes(measure));
          const isFewer = accepted.length < measures.length;
          measures = accepted;
          return isFewer;
        },
        onState: state => this.#enter(state),
      },
      signal,
    );
    if (!hasProcesses) return;
    void keepSmiTool(
      {
        ...this.#options,
        args: () => gpuProcessArguments(intervalMs),
        onLine: line => {
          const process = parseGpuProcess(line);
          if (process) this.#processes.set(`${process.uuid} ${process.pid}`, { process, at: now() });
          return process !== null;
        },
        // If the driver does not support this query, it is retried with growing waits; only the other tool sets the
        // state.
        onRejected: () => false,
        onState: () => {},
        // There may be no compute process.
        silenceMs: null,
      },
      signal,
    );
  }

  /** Whether a GPU is split into instances that have not been listed yet. */
  get isListing(): boolean {
    return this.#isListing;
  }

  #askForInstances(signal: AbortSignal): void {
    if (this.#isListing || this.#instances) return;
    this.#isListing = true;
    void listMigInstances(this.#options.environment).then(found => {
      if (signal.aborted) return;
      this.#instances = found;
      this.#isListing = false;
    });
  }

  /** Kills the tools and forgets their rows. It can be started again. */
  stop(): void {
    this.#session?.abort();
    this.#session = null;
    this.#rows.clear();
    this.#processes.clear();
    this.#instances = null;
    this.#isListing = false;
    this.#state = { kind: 'starting' };
  }

  #enter(state: GpuState): void {
    this.#state = state;
    this.#options.onUpdate();
  }
}
