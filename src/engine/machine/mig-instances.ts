import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GpuInstance, KnownGpu } from '../../shared/machines/telemetry.ts';
import { findNvidiaSmi } from './find-nvidia-smi.ts';

/** How long to wait for the list, because a driver may hang. */
const LIST_MS = 20_000;

/** The instances of GPUs split by MIG, by the GPU's UUID; empty if unknown. */
export async function listMigInstances(
  environment: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, readonly GpuInstance[]>> {
  const tool = await findNvidiaSmi(environment);
  if (!tool) return new Map();
  const options = { env: environment, timeout: LIST_MS, killSignal: 'SIGKILL' as const };
  const { stdout } = await promisify(execFile)(tool, ['-L'], options).catch(() => ({ stdout: '' }));
  return parseMigInstances(stdout);
}

/** Instances by the UUID of their GPU; see {@link parseGpuList}. */
export function parseMigInstances(text: string): ReadonlyMap<string, readonly GpuInstance[]> {
  const split = parseGpuList(text).filter(({ instances }) => instances.length > 0);
  return new Map(split.map(({ uuid, instances }) => [uuid, instances]));
}

/**
 * Parses the output of `nvidia-smi -L`: a line per GPU, and below it a line per instance, `  MIG 3g.20gb     Device
 * 0: (UUID: MIG-…)`. Source: NVIDIA's MIG user guide.
 */
export function parseGpuList(text: string): readonly Required<KnownGpu>[] {
  const found: (Required<KnownGpu> & { readonly instances: GpuInstance[] })[] = [];
  for (const line of text.split('\n')) {
    const [, index, name, gpu] = /^GPU (\d+): (.*) \(UUID: (GPU-[\w-]+)\)\s*$/.exec(line) ?? [];
    if (name && gpu) found.push({ index: Number(index), uuid: gpu, name, instances: [] });
    const [, profile, uuid] = /^\s+(MIG \S+)\s+Device\s+\d+: \(UUID: (MIG-[\w/-]+)\)\s*$/.exec(line) ?? [];
    if (profile && uuid) found.at(-1)?.instances.push({ uuid, name: profile });
  }
  return found;
}
