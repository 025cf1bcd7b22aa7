import type { GpuProcess } from '../../shared/machines/telemetry.ts';

const COLUMNS = ['gpu_uuid', 'pid', 'used_gpu_memory'] as const;

/**
 * Arguments that make `nvidia-smi` print a row per compute process and interval, until it is ended. Source:
 * `--help-query-compute-apps`.
 */
export function gpuProcessArguments(intervalMs: number): readonly string[] {
  return [
    `--query-compute-apps=${COLUMNS.join(',')}`,
    '--format=csv,noheader,nounits',
    '-lms',
    String(intervalMs),
  ];
}

/** One line of the output; null for a line that is not a process. Unreported memory is absent. */
export function parseGpuProcess(line: string): GpuProcess | null {
  const [uuid = '', pid = '', memory = '', ...more] = line.split(',').map(column => column.trim());
  if (more.length > 0 || !/^(?:GPU|MIG)-/.test(uuid) || !/^\d{1,10}$/.test(pid)) return null;
  return { uuid, pid: Number(pid), ...(/^\d+$/.test(memory) ? { memoryMib: Number(memory) } : {}) };
}
