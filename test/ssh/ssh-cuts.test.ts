import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import { SshClient } from '../../src/engine/remote/ssh/ssh-client.ts';
import { SshTraining } from '../../src/engine/remote/ssh/ssh-training.ts';
import { jobOf, nameOf, Watched } from '../support/remote-jobs.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { findSshdFault, type PrivateSshd, startSshd } from './private-sshd.ts';
import { SSH_GIVES_UP_MS } from './silent-server.ts';

const fault = findSshdFault();
let sshd: PrivateSshd;

type Run = { readonly job: RemoteJob; readonly watched: Watched; readonly go: string };

const isThere = (...path: readonly string[]) =>
  expect.poll(() => existsSync(join(sshd.home, '.cache/pawl', ...path)), { interval: 2 }).toBe(true);
const inJob = (name: string) => (run: Run) => isThere('jobs', nameOf(run.job), name);
const hasLogged = async ({ job }: Run, text: string) => {
  const log = join(sshd.home, '.cache/pawl/jobs', nameOf(job), 'output.log');
  await expect.poll(() => readFile(log, 'utf8').catch(() => ''), { interval: 2 }).toContain(text);
};

/** How far a run has come where its connection is lost, in the order of its life. */
const PLACES: readonly (readonly [string, (run: Run) => Promise<unknown>])[] = [
  ['its folder is made', run => isThere('jobs', nameOf(run.job))],
  ['the repository is made', () => isThere('repositories')],
  ['its program begins to arrive', inJob('job.json')],
  ['its program is started', inJob('job.out')],
  ['it is claimed', inJob('claim')],
  ['its training begins', inJob('state.json')],
  ['its output is heard here', ({ watched }) => watched.printed('first\n')],
  [
    'its output grows there',
    async run => {
      await run.watched.printed('first\n');
      await writeFile(run.go, '');
      await hasLogged(run, 'last\n');
    },
  ],
  [
    'its outcome is written there',
    async run => {
      await writeFile(run.go, '');
      await inJob('outcome.json')(run);
    },
  ],
];

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a connection that is cut', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  /** A run that trains once it may; `connect` brings the host up where that is down. */
  async function begin(): Promise<Run & { readonly count: string; readonly training: SshTraining }> {
    const folder = await temporaryFolder();
    const [go, count] = [join(folder, 'go'), join(folder, 'count')];
    const job = await jobOf(
      `echo trained >> ${count}; echo first; until [ -e ${go} ]; do sleep 0.02; done; echo last\n`,
    );
    const client = await SshClient.open('lab', sshd.options);
    onTestFinished(() => client.close());
    const training = new SshTraining({ client, root: await temporaryFolder() });
    return { job, go, count, training, watched: new Watched(training, job) };
  }

  async function checkEnd({ watched, go, count }: Run & { readonly count: string }): Promise<void> {
    await writeFile(go, '');
    expect(await watched.result).toMatchObject({
      outcome: { kind: 'exit', code: 0 },
      end: { kind: 'ended' },
    });
    expect(watched.output).toBe('first\nlast\n');
    expect(await readFile(count, 'utf8')).toBe('trained\n');
  }

  test('before anything was sent: the run waits and is trained', async () => {
    await sshd.cut();
    const run = await begin();
    await expect.poll(() => JSON.stringify(run.watched.phases)).toMatch(/refused/);
    await sshd.start();
    await checkEnd(run);
  });

  test.each(PLACES)('when %s: the outcome is fetched afterwards', async (_, isReached) => {
    const run = await begin();
    await isReached(run);
    await sshd.cut();
    await sshd.start();
    await checkEnd(run);
  });

  // Each takes as long as a stop waits for an answer.
  const SOME = PLACES.filter((_, at) => at % 3 === 2);
  test.each(SOME)('a host that falls silent when %s does not keep a stop waiting', async (_, isReached) => {
    const run = await begin();
    await isReached(run);
    await sshd.freeze();
    onTestFinished(() => sshd.thaw());
    const stoppedAt = performance.now();
    run.watched.stop();
    await run.watched.result;
    expect(performance.now() - stoppedAt).toBeLessThan(SSH_GIVES_UP_MS / 2);
    await sshd.thaw();
    expect(await run.training.end(run.job, new AbortController().signal)).toBe(true);
  });

  test('a host that falls silent when it has heard a stop does not keep it waiting either', async () => {
    const count = join(await temporaryFolder(), 'count');
    // The host ends it only after a while.
    const job = await jobOf(`trap '' TERM; echo trained >> ${count}; echo first; sleep 600\n`);
    const client = await SshClient.open('lab', sshd.options);
    onTestFinished(() => client.close());
    const training = new SshTraining({ client, root: await temporaryFolder() });
    const watched = new Watched(training, job);
    await watched.printed('first\n');
    const stoppedAt = performance.now();
    watched.stop();
    await isThere('jobs', nameOf(job), 'cancel');
    await sshd.freeze();
    onTestFinished(() => sshd.thaw());
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: false });
    // It is asked again, and has time to answer, before ssh itself notices.
    expect(performance.now() - stoppedAt).toBeLessThan(SSH_GIVES_UP_MS);
    await sshd.thaw();
    expect(await training.end(job, new AbortController().signal)).toBe(true);
  });
});
