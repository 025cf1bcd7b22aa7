import { PawlError } from '../../shared/errors.ts';
import { findByName, type GpuInstance, type GpuSample } from '../../shared/telemetry.ts';

/** What names a maker's GPUs, the one Pawl sets first. Sources: the CUDA programming guide, ROCm's page on GPU isolation. */
const VARIABLES = {
  nvidia: ['CUDA_VISIBLE_DEVICES'],
  amd: ['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES', 'CUDA_VISIBLE_DEVICES'],
} as const;

function variablesOf(gpus: readonly GpuSample[]): (typeof VARIABLES)[keyof typeof VARIABLES] {
  return VARIABLES[gpus[0]?.maker ?? 'nvidia'];
}

/**
 * The GPUs a training computes on, with what is known of them: those that its environment names, else the first one that
 * is not split by MIG, else the first instance of the first. Empty where there is none.
 */
export function boundGpus(gpus: readonly GpuSample[], environment: NodeJS.ProcessEnv): readonly GpuSample[] {
  const variable = variablesOf(gpus).find(name => environment[name] !== undefined);
  if (variable) {
    const found = (environment[variable] ?? '').split(',').map(name => findGpu(gpus, name.trim()));
    // What stands behind a name that is none does not count.
    const end = found.indexOf(null);
    return found.slice(0, end < 0 ? undefined : end).filter(gpu => gpu !== null);
  }
  const whole = gpus.filter(({ migMode = 0 }) => migMode === 0);
  // A graphics unit inside of a processor may have no UUID, and is not what anybody means.
  const first = whole.find(({ uuid }) => uuid !== '') ?? whole[0];
  if (first) return [first];
  const [split] = gpus;
  const [instance] = split?.instances ?? [];
  return split && instance ? [ofInstance(split, instance)] : [];
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
    // Of the one that is left others would name the place it had before.
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

/** What all instances of a GPU have together. */
const TOGETHER = [
  ...(['utilizationPercent', 'memoryUsedMib', 'memoryTotalMib', 'powerWatts', 'powerLimitWatts'] as const),
  ...(['instances', 'processes'] as const),
];

/** What is known of an instance: what it has of its GPU, and what computes on it. */
function ofInstance(gpu: GpuSample, { uuid, name }: GpuInstance): GpuSample {
  const own = gpu.processes?.filter(process => process.uuid === uuid) ?? [];
  const shared: { -readonly [Key in keyof GpuSample]: GpuSample[Key] } = { ...gpu };
  for (const key of TOGETHER) delete shared[key];
  return { ...shared, uuid, name: `${gpu.name}, ${name}`, ...(own.length > 0 ? { processes: own } : {}) };
}
