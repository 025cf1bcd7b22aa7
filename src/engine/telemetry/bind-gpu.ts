import { PawlError } from '../../shared/errors.ts';
import type { GpuInstance, GpuSample } from '../../shared/telemetry.ts';

/** Sources: the CUDA programming guide, and ROCm's page on GPU isolation. */
const VARIABLES = { nvidia: 'CUDA_VISIBLE_DEVICES', amd: 'ROCR_VISIBLE_DEVICES' } as const;

function variableOf(gpus: readonly GpuSample[]): (typeof VARIABLES)[keyof typeof VARIABLES] {
  return VARIABLES[gpus[0]?.maker ?? 'nvidia'];
}

/**
 * The GPUs a training computes on, with what is known of them: those that its environment names, else the first one that
 * is not split by MIG, else the first instance of the first. Empty where there is none.
 */
export function boundGpus(gpus: readonly GpuSample[], environment: NodeJS.ProcessEnv): readonly GpuSample[] {
  const named = environment[variableOf(gpus)];
  if (named !== undefined) {
    return named.split(',').flatMap(name => findGpu(gpus, name.trim()) ?? []);
  }
  const whole = gpus.find(({ migMode = 0 }) => migMode === 0);
  if (whole) return [whole];
  const [split] = gpus;
  const [first] = split?.instances ?? [];
  return split && first ? [ofInstance(split, first)] : [];
}

/**
 * The variable that binds a training to one GPU, so that every run of a night has the same: the one the user chose for the
 * study; nothing where their environment says it, or there is no choice. By UUID, for CUDA counts its devices in another
 * order than nvidia-smi. Rejects with `gpu_missing` for a chosen one that is not there.
 * @param chosen UUID or number
 */
export function gpuVariables(
  gpus: readonly GpuSample[],
  environment: NodeJS.ProcessEnv,
  chosen: string | null,
): Readonly<Record<string, string>> {
  const variable = variableOf(gpus);
  if (chosen !== null) {
    const gpu = findGpu(gpus, chosen);
    if (!gpu && gpus.length > 0) {
      const names = gpus.flatMap(({ index, name, instances = [] }) => [
        `${index}: ${name}`,
        ...instances.map(instance => `${instance.uuid}: ${instance.name}`),
      ]);
      throw new PawlError(
        'gpu_missing',
        `The GPU ${chosen} that was chosen for this study is not there. There are ${names.join(', ')}; choose with --gpu.`,
      );
    }
    return { [variable]: gpu?.uuid || chosen };
  }
  const hasChoice = gpus.length > 1 || gpus.some(({ instances = [] }) => instances.length > 0);
  if (environment[variable] !== undefined || !hasChoice) return {};
  const [gpu] = boundGpus(gpus, environment);
  return gpu && gpu.uuid !== '' ? { [variable]: gpu.uuid } : {};
}

/** A UUID may be cut short as long as it names one. */
function findGpu(gpus: readonly GpuSample[], name: string): GpuSample | null {
  if (name === '') return null;
  for (const gpu of gpus) {
    if (String(gpu.index) === name || gpu.uuid.startsWith(name)) return gpu;
    const instance = gpu.instances?.find(({ uuid }) => uuid.startsWith(name));
    if (instance) return ofInstance(gpu, instance);
  }
  return null;
}

/** What is known of an instance: what it has of its GPU, but not what all instances have together. */
function ofInstance(gpu: GpuSample, { uuid, name }: GpuInstance): GpuSample {
  const { utilizationPercent: _, memoryUsedMib: _used, memoryTotalMib: _total, ...rest } = gpu;
  const { powerWatts: _watts, powerLimitWatts: _limit, instances: _all, ...shared } = rest;
  const own = gpu.processes?.filter(process => process.uuid === uuid) ?? [];
  const { processes: _processes, ...bare } = shared;
  return { ...bare, uuid, name: `${gpu.name}, ${name}`, ...(own.length > 0 ? { processes: own } : {}) };
}
