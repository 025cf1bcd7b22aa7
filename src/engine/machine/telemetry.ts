import { setTimeout as delay } from 'node:timers/promises';
import type { GpuSample, GpuState, TelemetrySample } from '../../shared/machines/telemetry.ts';
import { AmdSampler } from './amd-sampler.ts';
import { DiskSpace } from './disk-space.ts';
import { GpuSampler, type GpuSamplerOptions } from './gpu-sampler.ts';
import { HostSampler } from './host-sampler.ts';

const INTERVAL_MS = 1000;
/** Five minutes at one sample per second: the content of a newly opened chart. */
const RECENT_SAMPLES = 300;
/** A disk takes minutes to fill up, and asking a network disk costs something. */
const SAMPLES_PER_LOOK = 10;

export type TelemetryOptions = {
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Time between two samples in milliseconds; one second by default. */
  readonly intervalMs?: number;
  /** Pawl's data folder; the free space on its disk is sampled. */
  readonly folder?: string;
  /** Where the kernel lists graphics cards. */
  readonly cards?: string;
  readonly gpu?: Omit<GpuSamplerOptions, 'environment' | 'intervalMs'>;
  /** Gets errors that listeners throw, and those of reading the host; without it they are dropped. */
  readonly onError?: (error: unknown) => void;
};

/**
 * Samples the machine and its GPUs until stopped: NVIDIA's, or AMD's if there is no nvidia-smi. Never keeps the
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

  /** The last samples, at most 300, oldest first; they stay after a stop. The array is never changed. */
  recent(): readonly TelemetrySample[] {
    return this.#recent;
  }

  /** The first sample comes one interval later. Does nothing if already started. */
  start(): void {
    if (this.#timer) return;
    this.#host = new HostSampler();
    this.#timer = setInterval(() => this.#sample(), this.#options.intervalMs).unref();
    this.#gpus.start();
  }

  /** It can be started again; listeners stay. */
  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#gpus.stop();
  }

  /** The GPUs of the newest sample, as soon as it is known whether there are any, or after `ms`. */
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

  /** Returns a function that removes the listener. */
  onSample(listener: (sample: TelemetrySample) => void): () => void {
    // Wrapped, so that one function can be added twice and removed once.
    const entry = (sample: TelemetrySample) => listener(sample);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  #sample(): void {
    // There may be no free file descriptor for /proc at the moment; the next sample tries again.
    const host = this.#attempt(() => this.#host.read());
    if (!host) return;
    // Their results go into the next sample.
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
