import picomatch from 'picomatch';
import { TERMINAL_COLUMNS } from '../../shared/terminal.ts';
import { ALLOWED, ALLOWED_PREFIXES, SECRET } from '../process/environment.ts';
import { KILL_TIMES } from '../process/kill-tree.ts';
import { DEFAULT_PROCESSES, FREE_SHARE, MAX_FREE_BYTES, MEMORY_SHARE } from '../process/limits.ts';
import type { RemoteJob } from './remote-training.ts';

/** As for trainings on this machine. */
const MAX_OUTPUT_BYTES = 2 * 1024 ** 3;

/** Stands for a run's worktree, whose place only its machine knows. */
export const WORKTREE_THERE = '/pawl/worktree';

/** Variables that describe this machine; another machine has its own. */
const OF_THIS_MACHINE = new Set([
  ...['HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TMP', 'TEMP', 'DISPLAY', 'SYSTEMROOT', 'USERPROFILE'],
  ...['CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'GPU_DEVICE_ORDINAL'],
  ...['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES'],
]);
const PREFIXES_OF_THIS_MACHINE = ['XDG_', 'SLURM_'];

/** The first would leave an inner `srun` without a PATH; the second is a key to the scheduler. */
const NEVER = `^SLURM_(?:EXPORT_ENV|JWT)$|${SECRET.source}`;

/** Name of the job, and of its folder: a pure function of the run's marker. */
export function jobName(marker: string): string {
  const name = `pawl-${marker.replaceAll('/', '-')}`;
  // It becomes part of paths and command lines.
  if (!/^[\w.-]{1,120}$/.test(name)) throw new Error(`no name for a job: ${marker}`);
  return name;
}

/** `job.json` of the wrapper in `resources/remote`. */
export function describeJob(job: RemoteJob, repository: string): object {
  const isOfThisMachine = (name: string) =>
    OF_THIS_MACHINE.has(name) || PREFIXES_OF_THIS_MACHINE.some(prefix => name.startsWith(prefix));
  return {
    version: 1,
    ...{ marker: job.marker, commit: job.commit, repository },
    ...{ setup: job.setUp, train: job.train, metric: job.metric, checks: job.checks },
    columns: TERMINAL_COLUMNS,
    limits: describeLimits(job.limits),
    environment: {
      ...Object.fromEntries(Object.entries(job.environment).filter(([name]) => !isOfThisMachine(name))),
      ...(job.gpus ? { CUDA_VISIBLE_DEVICES: job.gpus.join(',') } : {}),
    },
    ...{ checkout: job.repository.path, worktree: WORKTREE_THERE },
    compiled: job.compiled,
    ...{ gpus: job.gpus ?? [], cores: job.cores ?? [] },
    contained_environment: job.containedEnvironment,
    inherit: {
      names: [...ALLOWED],
      prefixes: [...ALLOWED_PREFIXES, 'SLURM_'],
      never: NEVER,
    },
    output_bytes: job.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    ask_seconds: KILL_TIMES.askMs / 1000,
    ...{ containment: job.containment, network: job.network, reads: job.reads },
    ...{ sealed: job.sealed, locked: job.locked, observed: job.observed, writes: asExpressions(job.writes) },
    artifacts: asExpressions(job.artifacts),
    artifact_bytes: job.maxArtifactBytes,
  };
}

/** A folder's name covers everything in it. */
function asExpressions(patterns: readonly string[]): readonly string[] {
  return patterns.flatMap(pattern =>
    [pattern, `${pattern.replace(/\/$/, '')}/**`].map(each => picomatch.makeRe(each, { dot: true }).source),
  );
}

/** What the contract leaves open is a share of what the machine has, as on this one. */
function describeLimits({ memoryGb, processes, freeDiskGb }: RemoteJob['limits']): object {
  const bytes = (gigabytes: number | null) => gigabytes && Math.floor(gigabytes * 1024 ** 3);
  return {
    ...{ memory_bytes: bytes(memoryGb), memory_share: MEMORY_SHARE },
    processes: processes ?? DEFAULT_PROCESSES,
    ...{ free_bytes: bytes(freeDiskGb), free_share: FREE_SHARE, most_free_bytes: MAX_FREE_BYTES },
  };
}
