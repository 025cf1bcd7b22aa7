import { type GpuSample, telemetrySeries } from '../../../shared/telemetry.ts';
import { boundGpus } from '../../machine/bind-gpu.ts';
import { gpuEnergyWh } from '../../machine/energy.ts';
import { ForeignProcesses } from '../../machine/foreign-processes.ts';
import type { Telemetry } from '../../machine/telemetry.ts';
import type { SeriesPoint } from '../../metrics/output-reader.ts';
import type { FairnessInput } from '../judge/fairness.ts';

export type MachineWatchOptions = {
  readonly telemetry: Telemetry | undefined;
  /** What the training is given: it names its GPUs. */
  readonly environment: NodeJS.ProcessEnv;
  /** The run's, see `runMarker`. */
  readonly marker: string;
  /** Seconds since the run began. */
  readonly elapsed: () => number;
  /** Gets each sample of the whole machine. */
  readonly onPoint: (point: SeriesPoint) => void;
  /** Gets each sample of the GPU that trains. */
  readonly onGpu: (sample: GpuSample) => void;
};

/** Watches the machine from when it is made until `stop`, and above all the GPUs that the run was given. */
export class MachineWatch {
  readonly #foreign: ForeignProcesses;
  /** Of the GPU that trains; of several the first one. */
  readonly #watched: GpuSample[] = [];
  readonly #power: SeriesPoint[] = [];
  readonly #leave: (() => void) | undefined;

  constructor({ telemetry, environment, marker, elapsed, onPoint, onGpu }: MachineWatchOptions) {
    this.#foreign = new ForeignProcesses(marker);
    this.#leave = telemetry?.onSample(sample => {
      const gpus = boundGpus(sample.gpus, environment);
      const seconds = elapsed();
      this.#power.push({ seconds, values: telemetrySeries({ ...sample, gpus }) });
      const [gpu] = gpus;
      if (gpu) {
        this.#watched.push(gpu);
        this.#foreign.add(gpu);
        onGpu(gpu);
      }
      onPoint({ seconds, values: telemetrySeries(sample) });
    });
  }

  /** What descends from this process is of the run. */
  isBelow(root: number): void {
    this.#foreign.isBelow(root);
  }

  stop(): void {
    this.#leave?.();
  }

  /** Of the GPUs the run was given, in Wh; null where no power was measured. */
  energyWh(): number | null {
    return gpuEnergyWh(this.#power);
  }

  /** What the run's fairness is judged by, of its GPU. */
  async seen(): Promise<Pick<FairnessInput, 'gpu' | 'foreign' | 'isUsed'>> {
    return { gpu: this.#watched, ...(await this.#foreign.list()) };
  }
}
