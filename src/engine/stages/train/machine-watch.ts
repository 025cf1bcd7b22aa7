import { type GpuSample, telemetrySeries } from '../../../shared/telemetry.ts';
import { boundGpus } from '../../machine/bind-gpu.ts';
import { gpuEnergyWh } from '../../machine/energy.ts';
import { ForeignProcesses } from '../../machine/foreign-processes.ts';
import type { Telemetry } from '../../machine/telemetry.ts';
import type { SeriesPoint } from '../../metrics/output-reader.ts';
import type { FairnessInput } from '../judge/fairness.ts';

/** One sample may be of a moment in which nothing was given yet. */
const LEAST_SAMPLES = 3;

/** Whether the GPU is identified by its UUID. */
function isNamed({ CUDA_VISIBLE_DEVICES: cuda, ROCR_VISIBLE_DEVICES: rocr }: NodeJS.ProcessEnv): boolean {
  return /^(?:GPU|MIG)-/.test(cuda ?? rocr ?? '');
}

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
  /** By name, the processes on GPUs that the run was not given. */
  readonly #beside = new Map<string, ForeignProcesses>();
  readonly #marker: string;
  #root: number | null = null;
  readonly #leave: (() => void) | undefined;

  constructor({ telemetry, environment, marker, elapsed, onPoint, onGpu }: MachineWatchOptions) {
    this.#marker = marker;
    this.#foreign = new ForeignProcesses(marker);
    this.#leave = telemetry?.onSample(sample => {
      const gpus = boundGpus(sample.gpus, environment);
      const seconds = elapsed();
      this.#power.push({ seconds, values: telemetrySeries({ ...sample, gpus }) });
      // CUDA counts its devices in another order than nvidia-smi, so a number may mean another GPU.
      if (isNamed(environment)) this.#lookBeside(sample.gpus, gpus);
      const [gpu] = gpus;
      if (gpu) {
        this.#watched.push(gpu);
        this.#foreign.add(gpu);
        onGpu(gpu);
      }
      onPoint({ seconds, values: telemetrySeries(sample) });
    });
  }

  /** Descendants of this process belong to the run. */
  isBelow(root: number): void {
    this.#root = root;
    for (const processes of [this.#foreign, ...this.#beside.values()]) processes.isBelow(root);
  }

  stop(): void {
    this.#leave?.();
  }

  /** Of the GPUs the run was given, in Wh; null where no power was measured. */
  energyWh(): number | null {
    return gpuEnergyWh(this.#power);
  }

  /** What the run's fairness is judged by, of its GPU. */
  async seen(): Promise<Pick<FairnessInput, 'gpu' | 'foreign' | 'isUsed' | 'otherGpus'>> {
    const beside = [...this.#beside].map(async ([name, processes]) =>
      (await processes.list()).ownSamples >= LEAST_SAMPLES ? [name] : [],
    );
    const otherGpus = (await Promise.all(beside)).flat();
    return { gpu: this.#watched, ...(await this.#foreign.list()), otherGpus };
  }

  #lookBeside(all: readonly GpuSample[], own: readonly GpuSample[]): void {
    for (const gpu of all) {
      // An instance's processes are listed with the GPU that is split.
      if (own.some(({ index }) => index === gpu.index) || !gpu.processes) continue;
      const name = `${gpu.index}: ${gpu.name}`;
      const processes = this.#beside.get(name) ?? new ForeignProcesses(this.#marker);
      if (this.#root !== null) processes.isBelow(this.#root);
      this.#beside.set(name, processes);
      processes.add(gpu);
    }
  }
}
