import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ANSWER_MS, type RemoteJob } from '../../src/engine/remote/remote-training.ts';
import type { Cluster } from '../../src/shared/machines/cluster.ts';
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
    const job = await jobOf(script, { train: { command: 'sh train.sh', seconds: 4 } });
    const result = await new Watched(trainingOn(), job).result;
    expect(result).toMatchObject({ outcome: { kind: 'timeout' }, end: { kind: 'ended' } });
    expect(result?.seconds).toBeGreaterThan(3.9);
    expect(result?.seconds).toBeLessThan(60);
    const left = (await readFile(pids, 'utf8')).trim().split('\n');
    expect(left).toHaveLength(2);
    for (const pid of left) expect(await lives(pid)).toBe(false);
  });

  test('what Slurm cuts off is called its limit', async () => {
    const watched = new Watched(trainingOn({}, { minutes: () => 1 }), await jobOf(WAITS));
    expect(await watched.result).toMatchObject({ outcome: { kind: 'timeout' }, end: { kind: 'time_limit' } });
  });

  test('a stop does not wait for a Slurm that does not answer, and says whether the job has ended as far as it is known', async () => {
    const runs = new Watched(trainingOn(), await jobOf(WAITS));
    const waits = await jobOf(WAITS);
    const training = trainingOn({ sbatch: ['--hold'] });
    const waiting = new Watched(training, waits);
    await runs.printed('begun');
    await waiting.queuedFor('JobHeldUser');
    await slurm.stopController();
    onTestFinished(slurm.startController);
    const stoppedAt = performance.now();
    waiting.stop();
    expect(await waiting.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: false });
    expect(performance.now() - stoppedAt).toBeLessThan(2 * ANSWER_MS);
    // One that runs finds the file that tells it to end.
    runs.stop();
    expect(await runs.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
    await slurm.startController();
    expect(await training.end(waits, new AbortController().signal)).toBe(true);
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

  test.each(['while it is followed', 'while nobody follows it'])(
    'a job that Slurm puts back into its queue %s is trained only once, and leaves the queue',
    async when => {
      const count = join(await temporaryFolder(), 'count');
      const job = await jobOf(`echo trained >> ${count}; ${WAITS}`);
      const training = trainingOn();
      const watched = new Watched(training, job);
      await watched.printed('begun');
      const id = await jobId(job);
      // Pawl's jobs ask not to be requeued, and an administrator can do it all the same.
      await slurm.slurm('scontrol', 'update', `jobid=${id}`, 'requeue=1');
      const state = () => slurm.slurm('squeue', '--noheader', '--states=all', '--format=%T', `--jobs=${id}`);
      const isFollowed = when === 'while it is followed';
      if (!isFollowed) watched.leave();
      await slurm.slurm('scontrol', 'requeue', id);
      if (!isFollowed) await expect.poll(state).toBe('PENDING');
      const result = isFollowed ? watched.result : new Watched(training, job, 'adopt').result;
      expect(await result).toMatchObject({ outcome: { kind: 'interrupted' }, end: { kind: 'requeued' } });
      await expect.poll(state).toBe('CANCELLED');
      expect(await readFile(count, 'utf8')).toBe('trained\n');
    },
  );

  test('a job that was put back and starts again trains nothing, and says why it had ended', async () => {
    const count = join(await temporaryFolder(), 'count');
    const job = await jobOf(`echo trained >> ${count}; ${WAITS}`);
    const watched = new Watched(trainingOn(), job);
    await watched.printed('begun');
    const id = await jobId(job);
    watched.leave();
    const ofJob = `jobid=${id}`;
    await slurm.slurm('scontrol', 'update', ofJob, 'requeue=1');
    await slurm.slurm('scontrol', 'requeue', id);
    const state = () => slurm.slurm('squeue', '--noheader', '--states=all', '--format=%T', `--jobs=${id}`);
    await expect.poll(state).toBe('PENDING');
    // In the second in which Slurm ended it, its node still refuses to start it: that credential is revoked.
    await slurm.slurm('scontrol', 'update', ofJob, 'starttime=now+2');
    await expect.poll(state).toBe('COMPLETED');
    const adopted = new Watched(trainingOn(), job, 'adopt');
    expect(await adopted.result).toMatchObject({
      outcome: { kind: 'interrupted' },
      end: { kind: 'requeued' },
    });
    expect(await readFile(count, 'utf8')).toBe('trained\n');
  });

  test('what fails here leaves a job to be adopted', async () => {
    const go = join(await temporaryFolder(), 'go');
    const job = await jobOf(`echo begun; until [ -e ${go} ]; do sleep 0.05; done; echo last\n`);
    const watched = new Watched(trainingOn(), job);
    await watched.printed('begun');
    watched.leave();
    await expect(watched.result).rejects.toThrow('the disk is full');
    await writeFile(go, '');
    const adopted = new Watched(trainingOn(), job, 'adopt');
    expect(await adopted.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(adopted.output).toBe('begun\nlast\n');
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

  test('a run that prints too much is ended', async () => {
    const watched = new Watched(trainingOn(), await jobOf('yes\n', { maxOutputBytes: 10_000 }));
    expect(await watched.result).toMatchObject({ outcome: { kind: 'flooded' }, end: { kind: 'ended' } });
    expect(watched.output).toMatch(/^(?:y\n)+y?$/);
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

  test('stop now does not wait long for the outcome of a job that is over', async () => {
    const job = await jobOf(WAITS);
    const watched = new Watched(trainingOn({}, { graceMs: 3_600_000 }), job);
    await watched.printed('begun');
    const id = await jobId(job);
    await slurm.slurm('scancel', '--signal=KILL', '--batch', id);
    await expect.poll(() => slurm.slurm('squeue', '--noheader', `--jobs=${id}`).catch(() => '')).toBe('');
    watched.stop();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
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
