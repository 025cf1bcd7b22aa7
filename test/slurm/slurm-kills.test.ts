import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAtRandom } from '../support/kills.ts';
import { contractFile, temporaryFolder } from '../support/scaffold.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';

/** More of them, and others, by hand. */
const KILLS = Number(process.env.PAWL_TEST_KILLS ?? 10);
const SEED = Number(process.env.PAWL_TEST_SEED ?? 20_260_325);
const JOBS = 4;

const fault = findSlurmFault();
let slurm: PrivateSlurm;

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('an engine that dies while jobs are in flight', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  test(`${KILLS} kills at random instants lose nothing, and nothing is trained twice`, async () => {
    const trained = join(await temporaryFolder(), 'trained');
    const contract = `${contractFile()}
[cluster]
engine = "slurm"
folder = ${JSON.stringify(slurm.folder)}
`;
    await killAtRandom(KILLS, {
      ...{ lanes: ['--lanes', `slurm:${JOBS}`], atOnce: JOBS, env: slurm.environment },
      ...{ contract, before: `echo "$PAWL_RUN" >> ${trained}\n`, seed: SEED },
    });
    const lines = (await readFile(trained, 'utf8')).trim().split('\n');
    const numbers = lines.map(line => line.replace(/^.*\/(\d+)\.\d+$/, '$1'));
    expect(numbers.toSorted()).toEqual([...new Set(numbers)].sort());
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
    const left = ['--noheader', '--states=PENDING,RUNNING,COMPLETING', '--format=%j'];
    await expect.poll(() => slurm.slurm('squeue', ...left)).toBe('');
  });
});
