import type { GpuSample } from '../../shared/telemetry.ts';

const VARIABLE = 'CUDA_VISIBLE_DEVICES';

/**
 * The GPU a training computes on: what the user's `CUDA_VISIBLE_DEVICES` names first, else the first that is not split by
 * MIG; null where there is none.
 */
export function boundGpu(gpus: readonly GpuSample[], environment: NodeJS.ProcessEnv): GpuSample | null {
  const chosen = environment[VARIABLE]?.split(',')[0]?.trim();
  if (chosen === '') return null;
  // A UUID may be cut short as long as it names one. Source: the CUDA programming guide.
  if (chosen)
    return gpus.find(({ index, uuid }) => String(index) === chosen || uuid.startsWith(chosen)) ?? null;
  return gpus.find(({ migMode = 0 }) => migMode === 0) ?? null;
}

/**
 * The variable that binds a training to one of several GPUs, so that every run of a night has the same; nothing where the
 * user has chosen, or there is no choice. By UUID, for CUDA counts its devices in another order than nvidia-smi.
 */
export function gpuVariables(
  gpus: readonly GpuSample[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  if (environment[VARIABLE] !== undefined || gpus.length < 2) return {};
  const gpu = boundGpu(gpus, environment);
  return gpu && gpu.uuid !== '' ? { [VARIABLE]: gpu.uuid } : {};
}
