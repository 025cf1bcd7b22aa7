import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import type { Cluster } from '../../src/shared/cluster.ts';
import { lives } from '../support/processes.ts';
import { jobOf, nameOf, WAITS, Watched } from '../support/remote-jobs.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { jobIdOn, trainingOn as trainOn } from './slurm-jobs.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

const trainingOn = (cluster: Partial<Cluster> = {}, more: Parameters<typeof trainOn>[2] = {}) =>
  trainOn(slurm, cluster, more);
const jobId = (job: RemoteJob) => jobIdOn(slurm, job);

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('the end of a job of Slurm', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  test('the budget is kept in seconds, and nothing of the training is left', async () => {
    const pids = join(await temporaryFolder(), 'pids');
    const script = `trap '' TERM; echo $$ > ${pids}; setsid sh -c 'trap "" TERM; echo $$ >> ${pids}; sleep 600' & sleep 600\n`;
    const job = await jobOf(script, { train: { command: 'sh train.sh', seconds: 1.5 } });
    const result = await new Watched(trainingOn(), job).result;
    expect(result).toMatchObject({ outcome: { kind: 'timeout' }, end: { kind: 'ended' } });
    expect(result?.seconds).toBeGreaterThan(1.4);
    expect(result?.seconds).toBeLessThan(60);
    const left = (await readFile(pids, 'utf8')).trim().split('\n');
    expect(left).toHaveLength(2);
    for (const pid of left) expect(await lives(pid)).toBe(false);
  });

  test('what Slurm cuts off is called its limit', async () => {
    const watched = new Watched(trainingOn({}, { minutes: () => 1 }), await jobOf(WAITS));
    expect(await watched.result).toMatchObject({ outcome: { kind: 'timeout' }, end: { kind: 'time_limit' } });
  });

  test('a job that somebody cancels is a run that did not end', async () => {
    const job = await jobOf(WAITS);
    const watched = new Watched(trainingOn(), job);
    await watched.printed('begun');
    await slurm.slurm('scancel', await jobId(job));
    expect(await watched.result).toMatchObject({
      ...{ outcome: { kind: 'interrupted' }, end: { kind: 'cancelled' } },
    });
  });

  test('a job that another one displaces is a run that did not end', async () => {
    const job = await jobOf(WAITS);
    const watched = new Watched(trainingOn({ sbatch: ['--exclusive'] }), job);
    await watched.printed('begun');
    const urgent = await slurm.slurm(
      'sbatch',
      '--parsable',
      '--partition=urgent',
      '--output=/dev/null',
      '--exclusive',
      '--wrap=true',
    );
    expect(await watched.result).toMatchObject({
      ...{ outcome: { kind: 'interrupted' }, end: { kind: 'preempted' } },
    });
    expect(urgent).toMatch(/^\d+$/);
  });

  test('a node that fails is a run that did not end', async () => {
    const watched = new Watched(trainingOn(), await jobOf(WAITS));
    await watched.printed('begun');
    await slurm.slurm('scontrol', 'update', 'nodename=node1', 'state=down', 'reason=test');
    try {
      expect(await watched.result).toMatchObject({
        ...{ outcome: { kind: 'interrupted' }, end: { kind: 'node_failed' } },
      });
    } finally {
      // It may come back by itself, when its daemon speaks up.
      const resume = ['update', 'nodename=node1', 'state=resume'];
      const state = async () => {
        await slurm.slurm('scontrol', ...resume).catch(() => {});
        return slurm.slurm('sinfo', '--noheader', '--format=%T', '--partition=main');
      };
      await expect.poll(state).toBe('idle');
    }
  });

  test('a wrapper that is killed leaves no outcome, and the run is lost', async () => {
    const job = await jobOf(WAITS);
    const watched = new Watched(trainingOn({}, { graceMs: 500 }), job);
    await watched.printed('begun');
    await slurm.slurm('scancel', '--signal=KILL', '--batch', await jobId(job));
    expect(await watched.result).toMatchObject({
      ...{ outcome: { kind: 'interrupted' }, end: { kind: 'lost' } },
    });
  });

  test('stop now cancels a job that trains, and one that waits', async () => {
    const [trains, waits] = [await jobOf(WAITS), await jobOf(WAITS)];
    const first = new Watched(trainingOn(), trains);
    const second = new Watched(trainingOn({ sbatch: ['--hold'] }), waits);
    await first.printed('begun');
    await second.queuedFor('JobHeldUser');
    first.stop();
    second.stop();
    for (const watched of [first, second])
      expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
    const left = async () => [
      await slurm.slurm('squeue', '--noheader', `--name=${nameOf(trains)}`),
      await slurm.slurm('squeue', '--noheader', `--name=${nameOf(waits)}`),
    ];
    await expect.poll(left).toEqual(['', '']);
  });

  test('a run that is hopeless is pruned', async () => {
    const watched = new Watched(trainingOn(), await jobOf(WAITS));
    await watched.printed('begun');
    watched.prune();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'pruned' }, end: { kind: 'ended' } });
  });

  test.each([
    ['an exit code', 'exit 3', { kind: 'exit', code: 3 }],
    ['a signal', 'kill -SEGV $$', { kind: 'signal', signal: 11 }],
  ])('a training that fails says so by %s', async (_, script, outcome) => {
    const watched = new Watched(trainingOn(), await jobOf(`echo x > lib.txt; ${script}\n`));
    expect(await watched.result).toMatchObject({ outcome, end: { kind: 'ended' }, touched: ['lib.txt'] });
  });

  test.each([
    ['--partition=nowhere', /[Ii]nvalid partition/],
    ['--gres=gpu:1', /Invalid generic resource/],
    ['--bogus', /unrecognized option '--bogus'/],
  ])('sbatch refuses %s with its own words, and nothing is lost', async (option, message) => {
    const job = await jobOf('echo done\n');
    const refused = await new Watched(trainingOn({ sbatch: [option] }), job).result;
    expect(refused).toMatchObject({
      ...{ outcome: { kind: 'spawn_failed', message: expect.stringMatching(message) } },
      ...{ end: { kind: 'refused' }, job: null },
    });
    const mended = await new Watched(trainingOn(), job).result;
    expect(mended).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
  });
});
