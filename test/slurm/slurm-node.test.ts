import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { probeCluster } from '../../src/engine/remote/slurm/probe-cluster.ts';
import type { Cluster } from '../../src/shared/machines/cluster.ts';
import { slowness } from '../support/clock.ts';
import { jobOf, nameOf, Watched } from '../support/remote-jobs.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { trainingOn as trainOn } from './slurm-jobs.ts';

const run = promisify(execFile);
const fault = findSlurmFault();
let slurm: PrivateSlurm;

const trainingOn = (cluster: Partial<Cluster> = {}, more: Parameters<typeof trainOn>[2] = {}) =>
  trainOn(slurm, cluster, more);

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a node of Slurm', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  test('secrets of the user do not travel, and an inner shell finds its programs', async () => {
    const training = trainingOn(
      { prelude: 'export FROM_PRELUDE=1 SOME_TOKEN=s3cr3t-prelude CUDA_HOME=/opt/cuda' },
      { environment: { ...slurm.environment, HF_TOKEN: 's3cr3t-user', SLURM_FOO: 's3cr3t-slurm' } },
    );
    const job = await jobOf('env; command -v git\n');
    const watched = new Watched(training, job);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toContain(`PAWL_RUN=${job.environment.PAWL_RUN}\n`);
    expect(watched.output).toContain('CUDA_HOME=/opt/cuda\n');
    expect(watched.output).toMatch(/^SLURM_JOB_ID=\d+$/m);
    expect(watched.output).toMatch(/\/git\n$/);
    expect(watched.output).not.toMatch(/s3cr3t|SLURM_EXPORT_ENV|FROM_PRELUDE/);
    const kept = await run('grep', ['-rl', 's3cr3t-user\\|s3cr3t-slurm', join(slurm.folder, '..')]).catch(
      error => error,
    );
    expect(kept.stdout).toBe('');
  });

  test('where an environment that the prelude activates has the checkout in editable form, a run imports its worktree', async () => {
    const environment = await temporaryFolder();
    const site = join(environment, 'lib/python3.11/site-packages');
    await mkdir(site, { recursive: true });
    const training = trainingOn({ prelude: `export VIRTUAL_ENV=${environment} PYTHONPATH=/own` });
    const job = await jobOf('echo "$PYTHONPATH"; pwd\n');
    const { path } = job.repository;
    await writeFile(join(site, 'project.pth'), `/elsewhere\n${path}/src\n`);
    const finder = `MAPPING: dict[str, str] = {'lib.deep': '${path}/py/lib/deep', 'other': '/elsewhere/other'}\n`;
    await writeFile(join(site, '__editable___project_finder.py'), finder);
    const watched = new Watched(training, job);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    const [pythonPath, worktree] = watched.output.split('\n');
    expect(pythonPath).toBe(`${worktree}/py:${worktree}/src:/own`);
  });

  test('a contained training sees its own files, and neither home, network nor other jobs', async () => {
    const secret = join(homedir(), `.pawl-test-${process.pid}`);
    await writeFile(secret, 'seen');
    onTestFinished(() => rm(secret, { force: true }));
    const data = await temporaryFolder();
    await writeFile(join(data, 'data.txt'), 'data\n');
    const job = await jobOf(
      `cat ${secret}; cat ${data}/data.txt; ls ${slurm.folder}/jobs; wc -l </proc/net/dev; echo x >> lib.txt
       echo y > new.txt && cat new.txt; git --no-pager log --format=%s; echo "$ONLY_CONTAINED"; touch ${slurm.folder}/x\n`,
      {
        containment: 'required',
        reads: [data],
        sealed: ['lib.txt'],
        containedEnvironment: { ONLY_CONTAINED: 'yes' },
      },
    );
    const watched = new Watched(trainingOn(), job);
    const result = await watched.result;
    expect(result).toMatchObject({ isContained: true, touched: [], end: { kind: 'ended' } });
    // The head of the table of interfaces takes two lines, and the loopback one.
    expect(watched.output.replaceAll(/^.*(?:cat|sh|touch):.*\n/gm, '')).toBe(
      `data\n${nameOf(job)}\n3\ny\nstart\nyes\n`,
    );
    expect(watched.output).not.toContain('seen');
    expect(watched.output).toMatch(/lib\.txt: Read-only file system/);
    expect(existsSync(join(slurm.folder, 'x'))).toBe(false);
  });

  test('a node without bubblewrap trains nothing, unless the run may go uncontained', async () => {
    const bin = await temporaryFolder();
    // What is found as python3 may be a script that needs more than these.
    const { stdout } = await run('python3', [
      '-c',
      'import os, sys; print(os.path.realpath(sys.executable))',
    ]);
    await symlink(stdout.trim(), join(bin, 'python3'));
    for (const name of ['git', 'sh', 'cat'])
      await symlink((await run('which', [name])).stdout.trim(), join(bin, name));
    const training = trainingOn({ prelude: `export PATH=${bin}` });
    const bare = { environment: { PAWL_RUN: 'x/1.0' } };
    const refused = await new Watched(
      training,
      await jobOf('cat lib.txt\n', { ...bare, containment: 'required' }),
    ).result;
    expect(refused).toMatchObject({
      outcome: { kind: 'spawn_failed', message: expect.stringMatching(/bubblewrap is not installed/) },
      end: { kind: 'no_sandbox' },
    });
    const watched = new Watched(
      training,
      await jobOf('cat lib.txt\n', { ...bare, containment: 'preferred' }),
    );
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 }, isContained: false });
    expect(watched.output).toBe('locked\n');
  });

  test('the GPUs of a job are named, and sampled while it trains', async () => {
    const bin = await temporaryFolder();
    const smi = `#!/bin/sh
case $1 in
  *name,uuid) echo 'Test GPU, GPU-1234' ;;
  *) while :; do echo 'GPU-1234, 50, 1024, 200.5'; touch ${bin}/sampled; sleep 0.1; done ;;
esac
`;
    await writeFile(join(bin, 'nvidia-smi'), smi, { mode: 0o755 });
    const watched = new Watched(
      trainingOn({ prelude: `PATH=${bin}:$PATH` }),
      await jobOf(`until [ -e ${bin}/sampled ]; do sleep 0.05; done\n`),
    );
    expect(await watched.result).toMatchObject({
      gpus: [{ name: 'Test GPU', uuid: 'GPU-1234' }],
      gpu: { samples: expect.any(Number), utilization_percent: 50, memory_mib: 1024, power_watts: 200.5 },
    });
    expect(watched.phases.at(-1)).toEqual({ kind: 'running', node: 'node1', gpu: 'Test GPU' });
  });

  test('a set-up command runs first, and one that fails trains nothing', async () => {
    const go = join(await temporaryFolder(), 'go');
    const command = `until [ -e ${go} ]; do sleep 0.05; done; echo ready > made.txt`;
    const watched = new Watched(
      trainingOn(),
      await jobOf('cat made.txt\n', { setUp: { command, seconds: 600 } }),
    );
    // It is no part of the training, and not counted in its time.
    await expect.poll(() => watched.phases.at(-1)).toEqual({ kind: 'setting_up', node: 'node1' });
    expect(watched.phases.map(({ kind }) => kind)).not.toContain('running');
    await writeFile(go, '');
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('ready\n');
    expect(watched.phases.at(-1)).toEqual({ kind: 'running', node: 'node1', gpu: null });
    const failing = await jobOf('echo trained\n', { setUp: { command: 'exit 4', seconds: 60 } });
    expect(await new Watched(trainingOn(), failing).result).toMatchObject({
      outcome: { kind: 'spawn_failed' },
      end: { kind: 'not_started', message: expect.stringMatching(/set-up command failed.*4/) },
    });
  });

  test('the doctor asks a node, and says what keeps a cluster from training', async () => {
    const cluster: Cluster = {
      ...{ engine: 'slurm', lanes: 1, sbatch: [], folder: slurm.folder, modules: [], prelude: null },
    };
    const { environment, folder: root } = slurm;
    const ask = (
      more: Partial<Cluster>,
      options: { environment?: NodeJS.ProcessEnv; waitMs?: number } = {},
    ) =>
      probeCluster({
        ...{ cluster: { ...cluster, ...more }, root, environment, needsSandbox: true, queueIntervalMs: 500 },
        ...options,
      });
    const good = await ask({});
    expect(good.map(({ name, outcome }) => [name, outcome])).toEqual([
      ...['Slurm', 'cluster folder', 'Python there', 'git there', 'sandbox there'].map(name => [name, 'ok']),
      ['GPU there', 'warning'],
    ]);
    expect(await ask({ sbatch: ['--partition=nowhere'] })).toEqual([
      { name: 'Slurm', outcome: 'failed', detail: expect.stringMatching(/[Ii]nvalid partition/) },
    ]);
    expect(await ask({}, { environment: { PATH: '/nonexistent' } })).toEqual([
      {
        name: 'Slurm',
        outcome: 'failed',
        detail: expect.stringMatching(/^sbatch, squeue, scancel not found/),
      },
    ]);
    expect(await ask({ sbatch: ['--hold'] }, { waitMs: 2_000 * slowness() })).toContainEqual({
      ...{ name: 'cluster node', outcome: 'warning' },
      detail: expect.stringMatching(/JobHeldUser/),
    });
    expect(await ask({ prelude: 'exit 1' })).toContainEqual({
      ...{ name: 'cluster folder', outcome: 'failed' },
      detail: expect.stringMatching(/have to see this folder/),
    });
    expect((await readdir(root)).filter(name => name.startsWith('probe-'))).toEqual([]);
  });
});
