import type { GpuState, TelemetrySample } from '../../shared/telemetry.ts';
import { GpuSampler, type GpuSamplerOptions } from './gpu-sampler.ts';
import { HostSampler } from './host-sampler.ts';

const INTERVAL_MS = 1000;
/** Five minutes at one sample a second: what a chart shows that has just been opened. */
const RECENT_SAMPLES = 300;

export type TelemetryOptions = {
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** From one sample to the next, in milliseconds; one second unless told. */
  readonly intervalMs?: number;
  readonly gpu?: Omit<GpuSamplerOptions, 'environment' | 'intervalMs'>;
  /** Gets what a listener throws, and why the host could not be read; without it they are dropped. */
  readonly onError?: (error: unknown) => void;
};

/** Samples the machine and its GPUs until stopped. Never keeps the process alive. */
export class Telemetry {
  readonly #options: TelemetryOptions & { readonly now: () => number; readonly intervalMs: number };
  readonly #gpus: GpuSampler;
  readonly #listeners = new Set<(sample: TelemetrySample) => void>();
  #recent: readonly TelemetrySample[] = [];
  #host = new HostSampler();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: TelemetryOptions) {
    this.#options = { now: Date.now, intervalMs: INTERVAL_MS, ...options };
    const { environment, intervalMs, gpu } = this.#options;
    this.#gpus = new GpuSampler({ hasProcesses: true, ...gpu, environment, intervalMs });
  }

  get gpuState(): GpuState {
    return this.#gpus.state;
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
    const isKnown = () => this.gpuState.kind !== 'starting' && this.gpuState.kind !== 'sampling';
    const gpus = () => this.#gpus.gpus();
    if (this.#timer && !isKnown() && gpus().length === 0) {
      await new Promise<void>(resolve => {
        const late = setTimeout(done, ms);
        const leave = this.onSample(() => {
          if (isKnown() || gpus().length > 0) done();
        });
        function done() {
          clearTimeout(late);
          leave();
          resolve();
        }
      });
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
    const sample = { at: this.#options.now(), host, gpus: this.#gpus.gpus() };
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
