import { setTimeout as delay } from 'node:timers/promises';
import type { GpuSample, GpuState, TelemetrySample } from '../../shared/telemetry.ts';
import { AmdSampler } from './amd-sampler.ts';
import { DiskSpace } from './disk-space.ts';
import { GpuSampler, type GpuSamplerOptions } from './gpu-sampler.ts';
import { HostSampler } from './host-sampler.ts';

const INTERVAL_MS = 1000;
/** Five minutes at one sample a second: what a chart shows that has just been opened. */
const RECENT_SAMPLES = 300;
/** A disk fills in minutes, and a look at one of a network costs it something. */
const SAMPLES_PER_LOOK = 10;

export type TelemetryOptions = {
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** From one sample to the next, in milliseconds; by default one second. */
  readonly intervalMs?: number;
  /** Where Pawl's data is; the free space on its disk is sampled. */
  readonly folder?: string;
  /** Where the kernel lists graphics cards. */
  readonly cards?: string;
  readonly gpu?: Omit<GpuSamplerOptions, 'environment' | 'intervalMs'>;
  /** Gets what a listener throws, and why the host could not be read; without it they are dropped. */
  readonly onError?: (error: unknown) => void;
};

/**
 * Samples the machine and its GPUs until stopped: NVIDIA's, and where there is no nvidia-smi AMD's. Never keeps the
 * process alive.
 */
export class Telemetry {
  readonly #options: TelemetryOptions & { readonly now: () => number; readonly intervalMs: number };
  readonly #gpus: GpuSampler;
  readonly #amd: AmdSampler;
  readonly #disk: DiskSpace | null;
  #samples = 0;
  readonly #listeners = new Set<(sample: TelemetrySample) => void>();
  #recent: readonly TelemetrySample[] = [];
  #host = new HostSampler();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: TelemetryOptions) {
    this.#options = { now: Date.now, intervalMs: INTERVAL_MS, ...options };
    const { environment, intervalMs, gpu } = this.#options;
    this.#gpus = new GpuSampler({ hasProcesses: true, ...gpu, environment, intervalMs });
    this.#amd = new AmdSampler(this.#options.cards);
    this.#disk = options.folder === undefined ? null : new DiskSpace(options.folder);
  }

  get gpuState(): GpuState {
    const { state } = this.#gpus;
    return state.kind === 'none' && this.#amd.gpus().length > 0 ? { kind: 'sampling' } : state;
  }

  #allGpus(): readonly GpuSample[] {
    return this.#gpus.state.kind === 'none' ? this.#amd.gpus() : this.#gpus.gpus();
  }

  /** The last samples, 300 at most, oldest first; they outlast a stop. The array is never changed. */
  recent(): readonly TelemetrySample[] {
    return this.#recent;
  }

  /** The first sample comes one interval later. Does nothing where it has started. */
  start(): void {
    if (this.#timer) return;
    this.#host = new HostSampler();
    this.#timer = setInterval(() => this.#sample(), this.#options.intervalMs).unref();
    this.#gpus.start();
  }

  /** May be started again; listeners stay. */
  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#gpus.stop();
  }

  /** The GPUs of the newest sample, once it is known whether there are any; after `ms` at the latest. */
  async knownGpus(ms: number): Promise<TelemetrySample['gpus']> {
    const isWithout = () => this.gpuState.kind !== 'starting' && this.gpuState.kind !== 'sampling';
    const gpus = () => this.#allGpus();
    const isKnown = () => (gpus().length > 0 && !this.#gpus.isListing) || isWithout();
    if (this.#timer && !isKnown()) {
      await new Promise<void>(resolve => {
        const late = setTimeout(done, ms);
        const leave = this.onSample(() => {
          if (isKnown()) done();
        });
        function done() {
          clearTimeout(late);
          leave();
          resolve();
        }
      });
    }
    if (this.#timer && this.#gpus.state.kind === 'none') {
      await Promise.race([this.#amd.read(), delay(ms, undefined, { ref: false })]);
    }
    return gpus();
  }

  /** Returns the function that ends it. */
  onSample(listener: (sample: TelemetrySample) => void): () => void {
    // Wrapped, so that one function may listen twice and leave once.
    const entry = (sample: TelemetrySample) => listener(sample);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  #sample(): void {
    // No file descriptor may be left for /proc, in this second: the next one has another try.
    const host = this.#attempt(() => this.#host.read());
    if (!host) return;
    // What they find is of the next sample.
    if (this.#gpus.state.kind === 'none') void this.#amd.read();
    if (this.#samples % SAMPLES_PER_LOOK === 0) void this.#disk?.look();
    this.#samples += 1;
    const room = this.#disk?.last;
    const disk = room ? { diskFreeBytes: room.freeBytes, diskTotalBytes: room.totalBytes } : {};
    const sample = { at: this.#options.now(), host: { ...host, ...disk }, gpus: this.#allGpus() };
    this.#recent = [...this.#recent, sample].slice(-RECENT_SAMPLES);
    for (const listener of this.#listeners) this.#attempt(() => listener(sample));
  }

  #attempt<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      this.#options.onError?.(error);
      return null;
    }
  }
}
