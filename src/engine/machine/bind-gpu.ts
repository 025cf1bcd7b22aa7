import { PawlError } from '../../shared/errors.ts';
import { findByName, type GpuInstance, type GpuSample } from '../../shared/machines/telemetry.ts';

/**
 * Variables that select GPUs, by maker; Pawl sets the first of each. Sources: the CUDA programming guide, ROCm's page
 * on GPU isolation.
 */
const VARIABLES = {
  nvidia: ['CUDA_VISIBLE_DEVICES'],
  amd: ['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES', 'CUDA_VISIBLE_DEVICES'],
} as const;

function variablesOf(gpus: readonly GpuSample[]): (typeof VARIABLES)[keyof typeof VARIABLES] {
  return VARIABLES[gpus[0]?.maker ?? 'nvidia'];
}

/**
 * The GPUs a training uses: those that its environment names; else the first one that is not split by MIG; else the
 * first instance of the first. Empty if there is none.
 */
export function boundGpus(gpus: readonly GpuSample[], environment: NodeJS.ProcessEnv): readonly GpuSample[] {
  const variable = variablesOf(gpus).find(name => environment[name] !== undefined);
  if (variable) {
    const found = (environment[variable] ?? '').split(',').map(name => findGpu(gpus, name.trim()));
    // Names after an invalid one do not count.
    const end = found.indexOf(null);
    return found.slice(0, end < 0 ? undefined : end).filter(gpu => gpu !== null);
  }
  const whole = gpus.filter(({ migMode = 0 }) => migMode === 0);
  // A graphics unit inside the processor may have no UUID, and nobody means that one.
  const first = whole.find(({ uuid }) => uuid !== '') ?? whole[0];
  if (first) return [first];
  const [split] = gpus;
  const [instance] = split?.instances ?? [];
  return split && instance ? [ofInstance(split, instance)] : [];
}

/**
 * The variable that binds a training to one GPU, so that all runs of a night use the same: the one that the user
 * chose for the study. None if the environment chooses, or if there is only one. Uses the UUID, because CUDA numbers
 * its devices in another order than nvidia-smi. Throws `gpu_missing` if the chosen one is missing.
 * @param chosen UUID or number
 */
export function gpuVariables(
  gpus: readonly GpuSample[],
  environment: NodeJS.ProcessEnv,
  chosen: string | null,
): Readonly<Record<string, string>> {
  const [variable, ...others] = variablesOf(gpus);
  if (chosen !== null) {
    const gpu = findGpu(gpus, chosen);
    if (!gpu) {
      const names = gpus.flatMap(({ index, name, instances = [] }) => [
        `${index}: ${name}`,
        ...instances.map(instance => `${instance.uuid}: ${instance.name}`),
      ]);
      throw new PawlError(
        'gpu_missing',
        `The GPU ${chosen} chosen for this study is missing. There ${names.length > 0 ? `are ${names.join(', ')}` : 'is none that Pawl can see'}; choose with --gpu.`,
      );
    }
    // Only one GPU remains visible, so the other variables must select number 0.
    const left = others.filter(name => environment[name] !== undefined).map(name => [name, '0']);
    return { [variable]: gpu.uuid || String(gpu.index), ...Object.fromEntries(left) };
  }
  const hasChoice = gpus.length > 1 || gpus.some(({ instances = [] }) => instances.length > 0);
  const isSet = [variable, ...others].some(name => environment[name] !== undefined);
  if (isSet || !hasChoice) return {};
  const [gpu] = boundGpus(gpus, environment);
  return gpu && gpu.uuid !== '' ? { [variable]: gpu.uuid } : {};
}

function findGpu(gpus: readonly GpuSample[], word: string): GpuSample | null {
  const all = gpus.flatMap(gpu => [
    { index: gpu.index, uuid: gpu.uuid, sample: gpu },
    ...(gpu.instances ?? []).map(instance => ({
      ...{ index: null, uuid: instance.uuid, sample: ofInstance(gpu, instance) },
    })),
  ]);
  return findByName(all, word)?.sample ?? null;
}

/** Measures that all instances of a GPU share. */
const TOGETHER = [
  ...(['utilizationPercent', 'memoryUsedMib', 'memoryTotalMib', 'powerWatts', 'powerLimitWatts'] as const),
  ...(['instances', 'processes'] as const),
];

/** What is known about an instance: its share of the GPU, and the processes on it. */
function ofInstance(gpu: GpuSample, { uuid, name }: GpuInstance): GpuSample {
  const own = gpu.processes?.filter(process => process.uuid === uuid) ?? [];
  const shared: { -readonly [Key in keyof GpuSample]: GpuSample[Key] } = { ...gpu };
  for (const key of TOGETHER) delete shared[key];
  return { ...shared, uuid, name: `${gpu.name}, ${name}`, ...(own.length > 0 ? { processes: own } : {}) };
}
