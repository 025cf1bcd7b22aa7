import { mkdir, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { jobFolder } from '../src/engine/remote/job-folder.ts';
import { SlurmTraining } from '../src/engine/remote/slurm/slurm-training.ts';
import type { SshAnswer, SshClient } from '../src/engine/remote/ssh/ssh-client.ts';
import { SshTraining } from '../src/engine/remote/ssh/ssh-training.ts';
import { jobOf } from './support/remote-jobs.ts';
import { temporaryFolder } from './support/scaffold.ts';

/** What is left to the next engine, and what is not: jobs on machines that fail. */

/** A host that gives one answer to everything. */
function hostThatAnswers(answer: SshAnswer): SshClient {
  return { host: 'lab', run: async () => answer } as unknown as SshClient;
}

const ended = (code: number) =>
  ({ kind: 'ended', code, stdout: Buffer.of(), stderr: 'Read-only file system' }) as const;

test('what could not be removed on a host is not taken for removed', async () => {
  const root = await temporaryFolder();
  const job = await jobOf('echo done\n');
  const { path } = jobFolder(root, job.marker);
  await mkdir(path, { recursive: true });
  const forgetOn = (answer: SshAnswer) =>
    new SshTraining({ client: hostThatAnswers(answer), root }).forget(job);
  await expect(forgetOn({ kind: 'unreachable', message: 'ssh lab: timed out' })).rejects.toThrow('timed out');
  await expect(forgetOn(ended(1))).rejects.toThrow('Read-only file system');
  expect(await readdir(path)).toEqual([]);
  await forgetOn(ended(0));
  await expect(readdir(path)).rejects.toThrow('ENOENT');
});

describe.each(['train', 'adopt'] as const)('%s, while something else fails', how => {
  /** What has failed in another lane. */
  const failure = new Error('the disk is full');
  const watch = { onOutput: () => {}, onState: () => {}, signal: AbortSignal.abort(failure) };

  test('leaves a job of Slurm to the next engine', async () => {
    const root = await temporaryFolder();
    const job = await jobOf('echo done\n');
    const { path } = jobFolder(root, job.marker);
    await mkdir(path, { recursive: true });
    const cluster = {
      engine: 'slurm',
      lanes: 1,
      sbatch: [],
      folder: root,
      modules: [],
      prelude: null,
    } as const;
    const training = new SlurmTraining({ cluster, root, environment: { PATH: '/nowhere' } });
    await expect(training[how](job, watch)).rejects.toBe(failure);
    expect(await readdir(path)).not.toContain('cancel');
  });

  test('leaves a run on a host of ssh to the next engine', async () => {
    const root = await temporaryFolder();
    const job = await jobOf('echo done\n');
    await mkdir(jobFolder(root, job.marker).path, { recursive: true });
    const asked: string[] = [];
    const run = async (line: string) => {
      asked.push(line);
      return { kind: 'unreachable', message: 'ssh lab: timed out' };
    };
    const client = { host: 'lab', run } as unknown as SshClient;
    await expect(new SshTraining({ client, root })[how](job, watch)).rejects.toBe(failure);
    expect(asked.filter(line => line.includes('/cancel'))).toEqual([]);
  });
});
