import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import { askDevices } from '../../src/engine/remote/ssh/ask-devices.ts';
import { SshClient } from '../../src/engine/remote/ssh/ssh-client.ts';
import { SshTraining } from '../../src/engine/remote/ssh/ssh-training.ts';
import { endOf, startNode } from '../support/node-process.ts';
import { lives } from '../support/processes.ts';
import { jobOf, nameOf, WAITS, Watched } from '../support/remote-jobs.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { findSshdFault, giveGpus, type PrivateSshd, startSshd } from './private-sshd.ts';
import { SSH_GIVES_UP_MS, silentServer } from './silent-server.ts';

const run = promisify(execFile);
const fault = findSshdFault();
let sshd: PrivateSshd;

async function trainingHere(
  more: { readonly root?: string; readonly goneMs?: number } = {},
): Promise<SshTraining> {
  const client = await SshClient.open('lab', sshd.options);
  onTestFinished(() => client.close());
  return new SshTraining({ client, root: await temporaryFolder(), ...more });
}

/** Processes of this machine that ask the host about a run. */
async function connectionsFor(job: RemoteJob): Promise<readonly string[]> {
  const numbers = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = await Promise.all(
    numbers.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter(line => line.startsWith('ssh\0') && line.includes(nameOf(job)));
}

/** A training that goes on once a file is there. */
function waitsFor(file: string): string {
  return `echo first; until [ -e ${file} ]; do sleep 0.05; done; echo last\n`;
}

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a run on a host of ssh', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  test('its output comes as it is printed, and its files are brought here', async () => {
    const go = join(await temporaryFolder(), 'go');
    const job = await jobOf(`${waitsFor(go)}mkdir out; echo 5 > out/a.bin\n`, {
      metric: { command: 'echo val: 7', seconds: 60 },
      artifacts: ['out'],
    });
    const training = await trainingHere();
    const watched = new Watched(training, job);
    await watched.printed('first\n');
    expect(watched.output).toBe('first\n');
    await run('touch', [go]);
    const result = await watched.result;
    expect(result).toMatchObject({ outcome: { kind: 'exit', code: 0 }, end: { kind: 'ended' } });
    expect(watched.output).toBe('first\nlast\n');
    expect(await readFile(job.logPath, 'utf8')).toBe('first\nlast\n');
    expect(await readFile(result?.metric?.log ?? '', 'utf8')).toBe('val: 7\n');
    expect(await readFile(join(result?.artifacts.folder ?? '', 'out/a.bin'), 'utf8')).toBe('5\n');
    const there = join(sshd.home, '.cache/pawl/jobs', nameOf(job));
    expect(existsSync(there)).toBe(true);
    await training.forget(job);
    expect(existsSync(there)).toBe(false);
  });

  test('a lost connection is not the end of a run, and its output comes once and whole', async () => {
    const go = join(await temporaryFolder(), 'go');
    const watched = new Watched(await trainingHere(), await jobOf(waitsFor(go)));
    await watched.printed('first\n');
    await sshd.cut();
    await run('touch', [go]);
    await sshd.start();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('first\nlast\n');
  });

  test('a run outlives the process that started it, and the next one adopts it', async () => {
    const folder = await temporaryFolder();
    const go = join(folder, 'go');
    const job = await jobOf(waitsFor(go));
    const child = startNode(process.execPath, [join(import.meta.dirname, 'submit.ts')], folder, {
      JOB: JSON.stringify(job),
      ROOT: folder,
      OPTIONS: JSON.stringify(sshd.options),
    });
    let said = '';
    child.stdout?.on('data', text => {
      said += text;
    });
    const ended = endOf(child);
    await expect.poll(() => said).toContain('first');
    child.kill('SIGKILL');
    await ended;
    const watched = new Watched(await trainingHere({ root: folder }), job, 'adopt');
    await watched.printed('first\n');
    await run('touch', [go]);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('first\nlast\n');
  });

  test('a run that is started twice is trained once', async () => {
    const [count, root] = [join(await temporaryFolder(), 'count'), await temporaryFolder()];
    const job = await jobOf(`echo trained >> ${count}; echo done\n`);
    for (const how of ['train', 'train', 'adopt'] as const) {
      const watched = new Watched(await trainingHere({ root }), job, how);
      expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
      expect(watched.output).toBe('done\n');
    }
    expect(await readFile(count, 'utf8')).toBe('trained\n');
  });

  test('a set-up command is no part of the training', async () => {
    const go = join(await temporaryFolder(), 'go');
    const setUp = { command: `until [ -e ${go} ]; do sleep 0.05; done`, seconds: 600 };
    const watched = new Watched(await trainingHere(), await jobOf('echo done\n', { setUp }));
    await expect.poll(() => watched.phases.at(-1)?.kind).toBe('setting_up');
    expect(watched.phases.map(({ kind }) => kind)).not.toContain('running');
    await writeFile(go, '');
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.phases.at(-1)?.kind).toBe('running');
  });

  test('stop now ends a run there, which has the time to save what it needs', async () => {
    const saved = join(await temporaryFolder(), 'saved');
    const handler = `trap 'sh -c "sleep 0.3; echo checkpoint > ${saved}"; exit 1' TERM`;
    const watched = new Watched(
      await trainingHere(),
      await jobOf(`${handler}; echo begun; while :; do sleep 0.05; done\n`),
    );
    await watched.printed('begun');
    watched.stop();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
    expect(await readFile(saved, 'utf8')).toBe('checkpoint\n');
  });

  test('a stop does not wait for a host that says nothing, and a run that was never there leaves nothing', async () => {
    const pids = join(await temporaryFolder(), 'pids');
    const [root, left] = [await temporaryFolder(), await jobOf(`echo $$ > ${pids}; ${WAITS}`)];
    const leaving = new Watched(await trainingHere({ root }), left);
    await leaving.printed('begun');
    leaving.leave();
    await sshd.cut();
    const server = await silentServer(sshd.port);
    const training = await trainingHere({ root });
    const stop = async (job: RemoteJob, how: 'train' | 'adopt') => {
      const connected = once(server, 'connection');
      const watched = new Watched(training, job, how);
      await connected;
      const stoppedAt = performance.now();
      watched.stop();
      const result = await watched.result;
      expect(result).toMatchObject({ outcome: { kind: 'aborted' } });
      // What was never sent there need not be removed there.
      if (result?.isVerified) await training.forget(job);
      expect(performance.now() - stoppedAt).toBeLessThan(SSH_GIVES_UP_MS / 2);
      return result?.isVerified;
    };
    expect(await stop(await jobOf('echo never'), 'train')).toBe(true);
    expect(await readdir(join(root, 'jobs'))).toEqual([nameOf(left)]);
    expect(await stop(left, 'adopt')).toBe(false);
    await server.end();
    await sshd.start();
    expect(await training.end(left, new AbortController().signal)).toBe(true);
    expect(await lives((await readFile(pids, 'utf8')).trim())).toBe(false);
  });

  test('a stop does not wait for a host that has fallen silent, and does not say that the run has ended', async () => {
    const pids = join(await temporaryFolder(), 'pids');
    const training = await trainingHere();
    const job = await jobOf(`echo $$ > ${pids}; ${WAITS}`);
    const watched = new Watched(training, job);
    await watched.printed('begun');
    const pid = (await readFile(pids, 'utf8')).trim();
    await sshd.freeze();
    onTestFinished(() => sshd.thaw());
    const stoppedAt = performance.now();
    watched.stop();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: false });
    expect(performance.now() - stoppedAt).toBeLessThan(SSH_GIVES_UP_MS / 2);
    expect(await lives(pid)).toBe(true);
    await sshd.thaw();
    expect(await training.end(job, new AbortController().signal)).toBe(true);
    expect(await lives(pid)).toBe(false);
  });

  test('a stop leaves no connection that still waits for the files of a run', async () => {
    const root = await temporaryFolder();
    const training = await trainingHere({ root });
    // As much as is under way for some seconds.
    const job = await jobOf('mkdir out; truncate -s 2G out/a.bin\n', {
      ...{ artifacts: ['out'], maxArtifactBytes: 4e9 },
    });
    const watched = new Watched(training, job);
    await expect.poll(() => existsSync(join(root, 'jobs', nameOf(job), 'artifacts'))).toBe(true);
    await sshd.freeze();
    onTestFinished(() => sshd.thaw());
    expect(await connectionsFor(job)).not.toEqual([]);
    watched.stop();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: false });
    expect(await connectionsFor(job)).toEqual([]);
    await sshd.thaw();
    expect(await training.end(job, new AbortController().signal)).toBe(true);
  });

  test('a run that nobody goes on with is ended and removed, as soon as its host can be reached', async () => {
    const pids = join(await temporaryFolder(), 'pids');
    const job = await jobOf(`echo $$ > ${pids}; ${WAITS}`);
    const root = await temporaryFolder();
    const watched = new Watched(await trainingHere({ root }), job);
    await watched.printed('begun');
    watched.leave();
    const training = await trainingHere({ root });
    await sshd.cut();
    expect(await training.end(job, AbortSignal.timeout(100))).toBe(false);
    await sshd.start();
    expect(await training.end(job, new AbortController().signal)).toBe(true);
    expect(await lives((await readFile(pids, 'utf8')).trim())).toBe(false);
    expect(existsSync(join(sshd.home, '.cache/pawl/jobs', nameOf(job)))).toBe(false);
  });

  test('two runs at once share no GPU, and one that waits for its GPU says so, can be stopped, and makes way', async () => {
    const go = join(await temporaryFolder(), 'go');
    const show = 'echo "on $CUDA_VISIBLE_DEVICES"';
    const root = await temporaryFolder();
    const training = await trainingHere({ root });
    const on = async (gpu: string, train: string) =>
      new Watched(training, await jobOf(`${show}; ${train}`, { gpus: [gpu] }));
    const first = await on('GPU-1', waitsFor(go));
    await first.printed('on GPU-1\nfirst\n');
    const second = await jobOf(show, { gpus: ['GPU-1'] });
    const waiting = new Watched(training, second);
    const stopped = await on('GPU-1', 'echo never');
    const putOff = await on('GPU-1', 'echo never');
    const other = await on('GPU-2', 'echo beside');
    expect(await other.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(other.output).toBe('on GPU-2\nbeside\n');
    const claimed = join(sshd.home, '.cache/pawl/jobs', nameOf(second), 'claim');
    await expect.poll(() => existsSync(claimed)).toBe(true);
    const why = `Another run on ${hostname()} has GPU-1.`;
    for (const watched of [waiting, stopped, putOff]) await watched.queuedFor(why);
    stopped.stop();
    expect(await stopped.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
    putOff.putOff();
    const end = { kind: 'put_off', message: why };
    expect(await putOff.result).toMatchObject({ outcome: { kind: 'interrupted' }, end, isVerified: true });
    expect([waiting.output, stopped.output, putOff.output]).toEqual(['', '', '']);
    await writeFile(go, '');
    expect(await first.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(await waiting.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(waiting.output).toBe('on GPU-1\n');
  });

  test('a run is bound to the cores of its lane, where it sees no GPU', async () => {
    const list =
      /^Cpus_allowed_list:\s*(\S+)$/m.exec(await readFile('/proc/self/status', 'latin1'))?.[1] ?? '';
    const core = Number(/^\d+/.exec(list)?.[0]);
    const shown = `grep Cpus_allowed_list /proc/self/status; echo "GPU=\${CUDA_VISIBLE_DEVICES-all}"\n`;
    const job = await jobOf(shown, { gpus: [], cores: [core] });
    const watched = new Watched(await trainingHere(), job);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 }, gpus: [] });
    expect(watched.output).toBe(`Cpus_allowed_list:\t${core}\nGPU=\n`);
  });

  test('a module that was compiled for another kind of machine keeps a run from training, and it says so', async () => {
    const compiled = { kind: 'Darwin arm64', paths: ['lib.txt'] };
    const watched = new Watched(await trainingHere(), await jobOf('echo trained\n', { compiled }));
    const message = expect.stringMatching(
      /^lib\.txt was compiled for Darwin arm64, and \S+ is Linux \w+: let/,
    );
    expect(await watched.result).toMatchObject({ end: { kind: 'not_started', message } });
    expect(watched.output).toBe('');
  });

  test('a run that is asked to end is ended at once, so that none comes to its end for nothing', async () => {
    const finished = join(await temporaryFolder(), 'finished');
    // The host looks once a second.
    const job = await jobOf(`touch ../cancel; sleep 1.8; touch ${finished}\n`);
    const watched = new Watched(await trainingHere(), job);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'interrupted' } });
    expect(existsSync(finished)).toBe(false);
  });

  test('a run that prints too much is ended', async () => {
    const job = await jobOf('yes\n', { maxOutputBytes: 10_000 });
    const watched = new Watched(await trainingHere(), job);
    expect(await watched.result).toMatchObject({ outcome: { kind: 'flooded' }, end: { kind: 'ended' } });
    expect(watched.output).toMatch(/^(?:y\n)+y?$/);
  });

  test('a host that is out of reach for too long is called gone', async () => {
    const watched = new Watched(await trainingHere({ goneMs: 1_000 }), await jobOf('echo begun; sleep 60\n'));
    await watched.printed('begun');
    await sshd.cut();
    try {
      expect(await watched.result).toMatchObject({
        ...{ outcome: { kind: 'interrupted' }, end: { kind: 'host_gone' }, isVerified: false },
      });
    } finally {
      await sshd.start();
    }
  });

  test('a host says which devices it has, and one that cannot be reached why', async () => {
    const gpusThere = ['GPU-1', 'GPU-2'].map(uuid => ({ uuid, name: 'Test GPU' }));
    await giveGpus(sshd, gpusThere);
    const client = await SshClient.open('lab', sshd.options);
    onTestFinished(() => client.close());
    const devices = await askDevices(client);
    expect(devices).toMatchObject({ gpus: gpusThere.map((gpu, index) => ({ ...gpu, index })) });
    expect('cores' in devices && devices.cores).toMatch(/^[\d,-]+$/);
    await writeFile(join(sshd.home, 'bin/nvidia-smi'), '#!/bin/sh\nexit 9\n');
    const gpuFault = 'nvidia-smi -L ended there with exit code 9.';
    expect(await askDevices(client)).toMatchObject({ gpus: [], gpuFault });
    const nobody = await SshClient.open('lab', [...sshd.options, '-o', 'Port=1', '-o', 'HostKeyAlias=other']);
    expect(await askDevices(nobody)).toEqual({ fault: expect.stringMatching(/refused/) });
  });

  test('a run that was never started is not adopted, and no name of an option is a host', async () => {
    expect(await new Watched(await trainingHere(), await jobOf('true\n'), 'adopt').result).toBeNull();
    await expect(SshClient.open('-oProxyCommand=true')).rejects.toMatchObject({ code: 'usage' });
  });
});
