import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobOf, Watched } from '../support/remote-jobs.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { trainingOn } from './slurm-jobs.ts';

const GROUPS = '/sys/fs/cgroup/memory';

/** Why no job can be held to its memory here; null where it can. */
async function findMemoryFault(): Promise<string | null> {
  const slurm = findSlurmFault();
  if (slurm !== null) return slurm;
  return access(GROUPS, constants.W_OK).then(
    () => null,
    () => `This user may not make control groups in ${GROUPS}.`,
  );
}

const fault = await findMemoryFault();
let slurm: PrivateSlurm;

// Without control groups nothing ends a job for its memory; `fault` says what is missing.
describe.skipIf(fault !== null)('a job that Slurm holds to its memory', () => {
  beforeAll(async () => {
    slurm = await startSlurm(
      'TaskPlugin=task/cgroup\nProctrackType=proctrack/cgroup\nSelectTypeParameters=CR_CPU_Memory\nDefMemPerCPU=500\n',
      'CgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\nAllowedSwapSpace=0\nConstrainSwapSpace=no\n',
    );
  });
  afterAll(() => slurm?.stop());

  test('and that takes more is a crash for its memory, and no lost run', async () => {
    const job = await jobOf(`exec python3 -c "x = bytearray(1500 * 1024 * 1024); print(len(x))"\n`);
    const watched = new Watched(trainingOn(slurm), job);
    expect(await watched.result).toMatchObject({
      outcome: { kind: 'limited', limit: 'memory' },
    });
    expect(watched.output).not.toContain('1572864000');
  });

  test('and that takes less is trained', async () => {
    const watched = new Watched(trainingOn(slurm), await jobOf('echo done\n'));
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
  });
});
