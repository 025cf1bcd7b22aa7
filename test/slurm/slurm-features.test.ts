import { afterAll, beforeAll, describe } from 'vitest';
import { testFeatures } from '../support/features-elsewhere.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a contract on a cluster', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  testFeatures({
    lanes: 'slurm',
    env: async () => slurm.environment,
    contract: () => `[cluster]\nengine = "slurm"\nfolder = ${JSON.stringify(slurm.folder)}\n`,
  });
});
