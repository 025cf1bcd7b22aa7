import { type GpuSample, telemetrySeries } from '../../../shared/machines/telemetry.ts';
import { boundGpus } from '../../machine/bind-gpu.ts';
import { gpuEnergyWh } from '../../machine/energy.ts';
import { ForeignProcesses } from '../../machine/foreign-processes.ts';
import type { Telemetry } from '../../machine/telemetry.ts';
import type { SeriesPoint } from '../../metrics/output-reader.ts';
import type { FairnessInput } from '../judge/fairness.ts';

/** A single sample may be from a moment before anything was allocated. */
const LEAST_SAMPLES = 3;

/** Whether the GPU is identified by its UUID. */
function isNamed({ CUDA_VISIBLE_DEVICES: cuda, ROCR_VISIBLE_DEVICES: rocr }: NodeJS.ProcessEnv): boolean {
  return /^(?:GPU|MIG)-/.test(cuda ?? rocr ?? '');
}

export type MachineWatchOptions = {
  readonly telemetry: Telemetry | undefined;
  /** The training's environment, which names its GPUs. */
  readonly environment: NodeJS.ProcessEnv;
  /** The run's marker, see `runMarker`. */
  readonly marker: string;
  /** Seconds since the run began. */
  readonly elapsed: () => number;
  /** Called with each sample of the whole machine. */
  readonly onPoint: (point: SeriesPoint) => void;
  /** Called with each sample of the GPU that trains. */
  readonly onGpu: (sample: GpuSample) => void;
};

/** Watches the machine from construction until `stop`, above all the GPUs that the run uses. */
export class MachineWatch {
  readonly #foreign: ForeignProcesses;
  /** Samples of the GPU that trains; the first one if there are several. */
  readonly #watched: GpuSample[] = [];
  readonly #power: SeriesPoint[] = [];
  /** By GPU name, the processes on GPUs that the run was not given. */
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
      // CUDA numbers its devices in another order than nvidia-smi, so a number may mean another GPU.
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

  /** Energy of the run's GPUs in Wh; null if no power was measured. */
  energyWh(): number | null {
    return gpuEnergyWh(this.#power);
  }

  /** The observations of its GPU from which the run's fairness is judged. */
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
