import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, sitting } from '../support/pawl.ts';
import { jobOf, Watched } from '../support/remote-jobs.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { trainingOn } from './slurm-jobs.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

/** Prints the model of the node's GPU, which is not there. */
const SMI = `#!/bin/sh
case "$*" in
*=name,uuid*) case $SLURMD_NODENAME in slow) echo 'Test GPU, GPU-1' ;; *) echo 'Faster GPU, GPU-2' ;; esac ;;
esac
`;

/** Reaches a better number with the same code on the faster node. The training itself is not told where it is. */
const TRAINER = FAST_TRAINER.replace(
  /^printf/m,
  `tr '\\0' '\\n' < /proc/$PPID/environ | grep -q SLURMD_NODENAME=fast && value=$((value - 30000))
printf`,
);

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a partition with two models of GPU', () => {
  beforeAll(async () => {
    slurm = await startSlurm('', '', ['slow', 'fast']);
  });
  afterAll(() => slurm?.stop());

  test('screens on the other model, and keeps only what is better on the baseline’s', async () => {
    const bin = join(await temporaryFolder(), 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'nvidia-smi'), SMI, { mode: 0o755 });
    const cluster = `[cluster]\nengine = "slurm"\nfolder = "${slurm.folder}"\n`;
    const night = await prepareNight({ trainer: TRAINER, contract: contractFile({ limitSeconds: 600 }) });
    const { repository, home } = night;
    const settings = `${cluster}prelude = "PATH=${bin}:$PATH"\n`;
    // A node that was drained does not count as ready at once, so the baseline is kept from the faster one in another way.
    await writeFile(join(home, 'settings.toml'), `${settings}sbatch = ["--exclude=fast"]\n`);
    const options = { home, env: slurm.environment };
    const first = await sitting(['run', repository, '--tag', TAG, '-n', '0', '--lanes', 'slurm'], options);
    expect(first.stderr).toBe('');
    await writeFile(join(home, 'settings.toml'), settings);
    const proposer = `read -r lr rest < next; echo "$rest" > next; sed -i "s/^LR=.*/LR=$lr/" train.sh; echo '{"hypothesis":"LR"}'`;
    const next = join(await temporaryFolder(), 'next');
    await writeFile(next, '4 3 6\n');
    const command = proposer.replaceAll('next', next);
    const { code, stderr, events } = await sitting(
      ['resume', repository, '-n', '3', '--command', command],
      options,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(eventsOf(events, 'verdict').map(({ n, verdict, reason }) => [n, verdict, reason])).toEqual([
      [1, 'keep', 'better'],
      // Beside the best's number from the slow node it would be a gain.
      [2, 'discard', 'screened'],
      [3, 'keep', 'better'],
    ]);
    expect(rowsOf(home).experiments.map(({ metric }) => metric)).toEqual([1.0648, 1.0448, null, 1.0248]);
    // Only what may be a gain is trained a second time, and at once where it counts.
    expect(eventsOf(events, 'run_started').map(({ n, k }) => `${n}.${k}`)).toEqual([
      ...['1.0', '1.1', '2.0', '3.0', '3.1'],
    ]);
    await checkNight(night);
  });

  test('trains where it can if a node to avoid has left the cluster', async () => {
    const watched = new Watched(trainingOn(slurm), await jobOf('echo trained\n', { avoid: ['gone'] }));
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 }, node: 'fast' });
  });
});
