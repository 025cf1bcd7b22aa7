import { expect } from 'vitest';
import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import { SlurmTraining } from '../../src/engine/remote/slurm/slurm-training.ts';
import type { Cluster } from '../../src/shared/machines/cluster.ts';
import { nameOf } from '../support/remote-jobs.ts';
import type { PrivateSlurm } from './private-slurm.ts';

export function trainingOn(
  slurm: PrivateSlurm,
  cluster: Partial<Cluster> = {},
  more: Partial<ConstructorParameters<typeof SlurmTraining>[0]> = {},
): SlurmTraining {
  const full: Cluster = {
    ...{ engine: 'slurm', lanes: 4, sbatch: [], folder: slurm.folder, modules: [], prelude: null },
    ...cluster,
  };
  const { environment, folder: root } = slurm;
  return new SlurmTraining({
    cluster: full,
    root,
    environment,
    queueIntervalMs: 500,
    graceMs: 5_000,
    ...more,
  });
}

/** Slurm's number of a job, once it has one. */
export async function jobIdOn(slurm: PrivateSlurm, job: RemoteJob): Promise<string> {
  const named = ['--noheader', '--states=all', '--format=%i', `--name=${nameOf(job)}`];
  let id = '';
  await expect
    .poll(async () => {
      id = await slurm.slurm('squeue', ...named);
      return id;
    })
    .toMatch(/^\d+$/);
  return id;
}
