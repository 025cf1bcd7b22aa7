import { mkdir, readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { jobFolder } from '../src/engine/remote/job-folder.ts';
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
