import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { lives } from '../support/processes.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, giveGpus, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';
import { SSH_GIVES_UP_MS, silentServer } from './silent-server.ts';

/** A study on several hosts. */

const fault = findSshdFault();
let hosts: readonly PrivateSshd[] = [];

async function prepare(
  lanes: readonly string[],
  { trainer = FAST_TRAINER, n = 4 }: { readonly trainer?: string; readonly n?: number } = {},
) {
  const night = await prepareNight({ trainer, contract: contractFile({ limitSeconds: 600 }) });
  const options = { home: night.home, env: { PATH: await pathWithHosts(...hosts) } };
  const args = ['run', night.repository, '--tag', TAG, '-n', String(n), '--lanes', lanes.join(',')];
  return { night, options, args };
}

/** After the baseline, trainings wait for a file, each its own or one for all, and write down what they are. */
async function waitingTrainer() {
  const place = await temporaryFolder();
  const go = join(place, 'go');
  const wait = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo "$$ $PAWL_RUN" >> ${place}/began; n=\${PAWL_RUN##*/}
  until [ -e ${go} ] || [ -e ${go}-\${n%.*} ]; do sleep 0.05; done
fi
value=`;
  const began = async () => {
    const text = await readFile(join(place, 'began'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  };
  return { go, began, trainer: FAST_TRAINER.replace(/^value=/m, () => wait) };
}

/** A study on a host with a GPU, and on another that answers only now; after the baseline its trainings wait. */
async function withLateHost(gpus: Parameters<typeof giveGpus>[1]) {
  const [lab, lab2] = hosts;
  if (!lab || !lab2) throw new Error('there are two hosts');
  await giveGpus(lab, [{ uuid: 'GPU-1', name: 'Test GPU' }]);
  await giveGpus(lab2, gpus);
  const { go, trainer } = await waitingTrainer();
  const { night, options, args } = await prepare(['ssh:lab', 'ssh:lab2'], { trainer });
  await lab2.cut();
  const running = new RunningPawl(args, options);
  await running.waitFor(({ type }) => type === 'host_away');
  await lab2.start();
  return { running, go, night };
}

/** Which hosts have trained for a study, by the lanes of its runs. */
function hostsOf(home: string): readonly string[] {
  const lanes = rowsOf(home).runs.map(({ lane }) => lane?.split(',')[0] ?? '');
  return [...new Set(lanes)].sort();
}

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a study on several hosts of ssh', () => {
  beforeAll(async () => {
    hosts = [await startSshd('lab'), await startSshd('lab2')];
  });
  afterAll(() => Promise.all(hosts.map(host => host.stop())));

  test('hosts with the same GPU, or no GPU and the same processors, train for one study', async () => {
    for (const name of [null, 'Test GPU']) {
      const gpus = name === null ? [] : [{ uuid: 'GPU-1', name }];
      for (const host of hosts) await giveGpus(host, gpus);
      const { night, options, args } = await prepare(['ssh:lab', 'ssh:lab2']);
      const { code, stderr, events } = await sitting(args, options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(eventsOf(events, 'verdict')).toHaveLength(5);
      expect(hostsOf(night.home)).toEqual(['lab', 'lab2']);
      for (const { home } of hosts) expect(await readdir(join(home, '.cache/pawl/jobs'))).toEqual([]);
      await checkNight(night);
    }
  });

  test('a sitting starts in the lanes that are in reach, and a host joins as soon as it answers', async () => {
    const [, lab2] = hosts;
    for (const host of hosts) await giveGpus(host, [{ uuid: 'GPU-1', name: 'Test GPU' }]);
    const { go, trainer } = await waitingTrainer();
    const { night, options, args } = await prepare(['ssh:lab', 'ssh:lab2'], { trainer });
    await lab2?.cut();
    const first = new RunningPawl(args, options);
    const away = await first.waitFor(({ type }) => type === 'host_away');
    expect(away).toMatchObject({ host: 'lab2', message: expect.stringContaining('refused') });
    await first.waitFor(event => event.type === 'run_started' && event.n === 1);
    expect(hostsOf(night.home)).toEqual(['lab']);
    await lab2?.start();
    await first.waitFor(event => event.type === 'host_joined' && event.host === 'lab2' && event.lanes === 1);
    await first.waitFor(event => event.type === 'run_started' && event.n === 2);
    expect(hostsOf(night.home)).toEqual(['lab', 'lab2']);
    await writeFile(go, '');
    expect(await first.ended).toMatchObject({ code: 0, stderr: '' });
    const shown = await pawl(['report', night.repository, '--format', 'md'], options);
    expect(shown.stdout).toContain('without lab2, which was out of reach');
    await lab2?.cut();
    const again = await sitting(['resume', night.repository, '-n', '6'], options);
    await lab2?.start();
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(eventsOf(again.events, 'host_away').map(({ host }) => host)).toEqual(['lab2']);
    expect(eventsOf(again.events, 'verdict').map(({ n }) => n)).toEqual([5, 6]);
    await checkNight(night);
  });

  test('what an earlier sitting left on a host that joins late is ended when it joins, if it is trained elsewhere now', async () => {
    const [, lab2] = hosts;
    for (const host of hosts) await giveGpus(host, [{ uuid: 'GPU-1', name: 'Test GPU' }]);
    const { go, began, trainer } = await waitingTrainer();
    const { night, options, args } = await prepare(['ssh:lab', 'ssh:lab2'], { trainer, n: 2 });
    const first = new RunningPawl(args, options);
    await expect.poll(began).toHaveLength(2);
    for (const n of [1, 2]) await first.waitFor(event => event.type === 'run_started' && event.n === n);
    await first.kill();
    const left = rowsOf(night.home).runs.find(({ lane }) => lane?.startsWith('lab2'));
    const [pid = ''] = (await began()).find(line => line.endsWith(`/${left?.n}.0`))?.split(' ') ?? [];
    expect(await lives(pid)).toBe(true);
    await lab2?.cut();
    await writeFile(`${go}-${3 - (left?.n ?? 0)}`, '');
    const again = new RunningPawl(['resume', night.repository], options);
    // The other one first ends in the lane of the host that answers.
    await expect.poll(began).toHaveLength(3);
    await lab2?.start();
    await again.waitFor(({ type }) => type === 'host_joined');
    await expect.poll(() => lives(pid)).toBe(false);
    expect(rowsOf(night.home).experiments[left?.n ?? 0]).toMatchObject({ verdict: null });
    await writeFile(go, '');
    expect(await again.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await began()).toHaveLength(3);
    expect((await pawl(['jobs'], options)).stdout).toBe('No job is known on another machine.\n');
    await checkNight(night);
  });

  test('a host that answers later is left out, and said to be, if it has other hardware', async () => {
    const { running, go, night } = await withLateHost([]);
    expect(await running.waitFor(({ type }) => type === 'warning')).toMatchObject({
      code: 'host',
      message: expect.stringMatching(/^lab2 answers now, .* These lanes differ \(Test GPU, \d+ cores? of/),
    });
    await writeFile(go, '');
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    expect(hostsOf(night.home)).toEqual(['lab']);
    await checkNight(night);
  });

  test('a host with another model of GPU that answers later screens', async () => {
    const { running, go, night } = await withLateHost([{ uuid: 'GPU-1', name: 'Faster GPU' }]);
    expect(await running.waitFor(({ type }) => type === 'warning')).toMatchObject({
      code: 'screening',
      message: expect.stringMatching(/^lab2, GPU 0: Faster GPU has another GPU/),
    });
    await running.waitFor(event => event.type === 'run_started' && event.n === 2);
    await writeFile(go, '');
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    expect(hostsOf(night.home)).toEqual(['lab', 'lab2']);
    const { experiments, runs } = rowsOf(night.home);
    const deciding = experiments.map(
      ({ n }) => runs.findLast(run => run.n === n && run.purpose === null)?.lane ?? '',
    );
    const isScreened = (n: number) => experiments[n]?.reason === 'screened';
    for (const [n, lane] of deciding.entries()) expect(lane.startsWith('lab2')).toBe(isScreened(n));
    await checkNight(night);
  });

  test('if no host answers, no sitting starts, and a stop does not wait for their answers', async () => {
    const [lab, lab2] = hosts;
    if (!lab || !lab2) throw new Error('there are two hosts');
    for (const host of hosts) await giveGpus(host, []);
    const { night, options, args } = await prepare(['ssh:lab', 'ssh:lab2'], { n: 1 });
    expect(await sitting(args, options)).toMatchObject({ code: 0, stderr: '' });
    for (const host of hosts) await host.cut();
    onTestFinished(async () => {
      for (const host of hosts) await host.start();
    });
    const refused = await pawl(['resume', night.repository, '-n', '6'], options);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/What lab has for lanes is not known\..*What lab2 has for lanes/);
    const servers = [await silentServer(lab.port), await silentServer(lab2.port)];
    for (const stop of [['stop'], ['stop', '--now']]) {
      const asked = Promise.all(servers.map(server => once(server, 'connection')));
      const running = new RunningPawl(['resume', night.repository, '-n', '6'], options);
      await asked;
      const askedAt = performance.now();
      expect((await pawl(stop, options)).code).toBe(0);
      expect(await running.waitFor(({ type }) => type === 'study_stopped')).toMatchObject({ reason: 'user' });
      expect(await running.ended).toMatchObject({ stderr: '' });
      expect(performance.now() - askedAt).toBeLessThan(SSH_GIVES_UP_MS / 2);
    }
    await checkNight(night);
  });
});
