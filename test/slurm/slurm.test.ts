import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import type { Cluster } from '../../src/shared/machines/cluster.ts';
import { endOf, startNode } from '../support/node-process.ts';
import { jobOf, nameOf, Watched } from '../support/remote-jobs.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { jobIdOn, trainingOn as trainOn } from './slurm-jobs.ts';

const run = promisify(execFile);
const fault = findSlurmFault();
let slurm: PrivateSlurm;

const trainingOn = (cluster: Partial<Cluster> = {}, more: Parameters<typeof trainOn>[2] = {}) =>
  trainOn(slurm, cluster, more);
const jobId = (job: RemoteJob) => jobIdOn(slurm, job);

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a job of Slurm', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  test('a training that ends well: its output comes as it is printed, its outcome and artifacts are there', async () => {
    const go = join(await temporaryFolder(), 'go');
    const job = await jobOf(
      `echo first; until [ -e ${go} ]; do sleep 0.05; done; echo last; mkdir out; echo 5 > out/a.bin; touch b.bin
       head -c 1 <&2 | wc -c
       git rev-parse HEAD`,
      {
        metric: { command: 'cat out/a.bin; echo val: 7', seconds: 60 },
        artifacts: ['out'],
      },
    );
    const watched = new Watched(trainingOn(), job);
    await watched.printed('first\n');
    expect(watched.output).toBe('first\n');
    await run('touch', [go]);
    const result = await watched.result;
    expect(result).toMatchObject({
      ...{ outcome: { kind: 'exit', code: 0 }, end: { kind: 'ended' }, survivors: [], logError: null },
      ...{ node: 'node1', gpus: [], isContained: false, touched: [], isVerified: true },
      metric: { end: { kind: 'exit', code: 0 } },
    });
    expect(result?.seconds).toBeGreaterThan(0);
    expect(result?.resources.cpuSeconds).toBeGreaterThan(0);
    expect(result?.resources.peakRssBytes).toBeGreaterThan(100_000);
    expect(watched.output).toBe(`first\nlast\n0\n${job.commit}\n`);
    expect(await readFile(job.logPath, 'utf8')).toBe(watched.output);
    expect(result?.outputBytes).toBe(watched.output.length);
    expect(await readFile(result?.metric?.log ?? '', 'utf8')).toBe('5\nval: 7\n');
    expect(await readdir(result?.artifacts.folder ?? '', { recursive: true })).toEqual(['out', 'out/a.bin']);
    expect(watched.phases.at(-1)).toEqual({ kind: 'running', node: 'node1', gpu: null });
    await trainingOn().forget(job);
    expect(existsSync(join(slurm.folder, 'jobs', nameOf(job)))).toBe(false);
  });

  test('a job that is held waits with its reason, and trains once it is released', async () => {
    const job = await jobOf('echo done\n');
    const watched = new Watched(trainingOn({ sbatch: ['--hold'] }), job);
    await watched.queuedFor('JobHeldUser');
    await slurm.slurm('scontrol', 'release', await jobId(job));
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('done\n');
  });

  test('a second submit of a run finds the first', async () => {
    const job = await jobOf('echo trained >> "$COUNT"; sleep 1; echo done\n', {});
    const count = join(await temporaryFolder(), 'count');
    const counted = { ...job, environment: { ...job.environment, COUNT: count } };
    const first = new Watched(trainingOn(), counted);
    await expect.poll(() => first.phases.at(-1)?.kind).toBe('running');
    const second = new Watched(trainingOn(), { ...counted, logPath: `${job.logPath}.second` });
    expect((await first.result)?.outcome).toEqual({ kind: 'exit', code: 0 });
    expect((await second.result)?.outcome).toEqual({ kind: 'exit', code: 0 });
    const third = new Watched(trainingOn(), { ...counted, logPath: `${job.logPath}.third` });
    expect((await third.result)?.outcome).toEqual({ kind: 'exit', code: 0 });
    expect([first.output, second.output, third.output]).toEqual(['done\n', 'done\n', 'done\n']);
    expect(await readFile(count, 'utf8')).toBe('trained\n');
  });

  test('of two jobs of one run only one trains, and the other is removed', async () => {
    const count = join(await temporaryFolder(), 'count');
    const job = await jobOf(`echo trained >> ${count}; sleep 600\n`);
    const watched = new Watched(trainingOn({ sbatch: ['--hold'] }), job);
    await watched.queuedFor('JobHeldUser');
    const id = await jobId(job);
    // What the process of an engine that has died may have left behind it.
    const wrap = `--wrap=exec python3 ${join(slurm.folder, 'jobs', nameOf(job))}/pawl_run.py ${join(slurm.folder, 'jobs', nameOf(job))}`;
    const options = [`--job-name=${nameOf(job)}`, '--parsable', '--hold', '--output=/dev/null'];
    const other = await slurm.slurm('sbatch', ...options, wrap);
    const state = (which: string) =>
      slurm.slurm('squeue', '--noheader', '--states=all', '--format=%T', `--jobs=${which}`);
    await expect.poll(() => state(other)).toBe('CANCELLED');
    await slurm.slurm('scontrol', 'release', id);
    await expect.poll(() => readFile(count, 'utf8').catch(() => '')).toBe('trained\n');
    watched.stop();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
  });

  test('a job outlives the process that submitted it, and the next one adopts it with all of its output', async () => {
    const folder = await temporaryFolder();
    const go = join(folder, 'go');
    const job = await jobOf(`echo first; until [ -e ${go} ]; do sleep 0.05; done; echo last\n`);
    const child = startNode(process.execPath, [join(import.meta.dirname, 'submit.ts')], folder, {
      ...slurm.environment,
      JOB: JSON.stringify(job),
      ROOT: slurm.folder,
    });
    const ended = endOf(child);
    let said = '';
    child.stdout?.on('data', text => {
      said += text;
    });
    await expect.poll(() => said).toContain('first');
    child.kill('SIGKILL');
    await ended;
    const watched = new Watched(trainingOn(), job, 'adopt');
    await watched.printed('first\n');
    await run('touch', [go]);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('first\nlast\n');
    expect(
      await slurm.slurm('squeue', '--noheader', '--states=all', '--format=%i', `--name=${nameOf(job)}`),
    ).toBe((await watched.result)?.job);
  });

  test('a run that was never submitted is not adopted', async () => {
    expect(await new Watched(trainingOn(), await jobOf('true\n'), 'adopt').result).toBeNull();
  });

  test('a job goes on while slurmctld is away, also one that waits to be submitted', async () => {
    const go = join(await temporaryFolder(), 'go');
    const job = await jobOf(`echo first; until [ -e ${go} ]; do sleep 0.05; done; echo last\n`);
    const watched = new Watched(trainingOn(), job);
    await watched.printed('first\n');
    await slurm.stopController();
    const late = new Watched(trainingOn(), await jobOf('echo late\n'));
    await expect.poll(() => JSON.stringify(late.phases)).toMatch(/Unable to contact slurm controller/);
    await run('touch', [go]);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('first\nlast\n');
    await slurm.startController();
    expect(await late.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(late.output).toBe('late\n');
  });

  test('four jobs ask Slurm for all of them at once, and no more often than every so many seconds', async () => {
    const training = trainingOn({}, { queueIntervalMs: 2_000 });
    const began = performance.now();
    const jobs = await Promise.all([1, 2, 3, 4].map(() => jobOf('sleep 3; echo done\n')));
    const results = await Promise.all(jobs.map(job => new Watched(training, job).result));
    expect(results.map(result => result?.outcome)).toEqual(jobs.map(() => ({ kind: 'exit', code: 0 })));
    expect(training.queueCalls).toBeLessThanOrEqual(1 + (performance.now() - began) / 2_000);
  });
});
