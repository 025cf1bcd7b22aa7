import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Elsewhere, testFeatures } from '../support/features-elsewhere.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a contract on a cluster', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
    await mkdir(homeOf(slurm));
  });
  afterAll(() => slurm?.stop());

  const inFolder = (folder: () => string): Elsewhere => ({
    lanes: 'slurm',
    twoLanes: 'slurm:2',
    env: async () => ({ ...slurm.environment, HOME: homeOf(slurm) }),
    contract: () => `[cluster]\nengine = "slurm"\nfolder = ${JSON.stringify(folder())}\n`,
    home: () => homeOf(slurm),
    onDisk: async disk => inFolder(() => disk),
  });
  testFeatures(inFolder(() => slurm.folder));
});

/** Of the user, on this machine and on the nodes. */
function homeOf({ folder }: PrivateSlurm): string {
  return join(dirname(folder), 'home');
}
