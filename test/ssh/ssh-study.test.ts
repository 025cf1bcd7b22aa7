import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, giveGpus, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';

const fault = findSshdFault();
let sshd: PrivateSshd;

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a study on a host of ssh', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  test('every run is trained there, and nothing of it is left there', async () => {
    const night = await prepareNight();
    const args = ['run', night.repository, '--tag', TAG, '-n', '4', '--lanes', 'ssh:lab'];
    const PATH = await pathWithHosts(sshd);
    const { code, stderr, events } = await sitting(args, { home: night.home, env: { PATH } });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(Array(5).fill('recorded'));
    expect(eventsOf(events, 'study_started')).toMatchObject([{ lanes: ['lab'] }]);
    expect(events.filter(({ type }) => type === 'run_started').length).toBeGreaterThanOrEqual(5);
    const place = join(sshd.home, '.cache/pawl');
    expect(await readdir(join(place, 'jobs')).catch(() => [])).toEqual([]);
    await checkNight(night);
  });

  test('a job that has just ended is not listed, although its files are still there', async () => {
    const night = await prepareNight();
    const go = join(await temporaryFolder(), 'go');
    const proposer = `mkdir ${go}.first 2>/dev/null || until [ -e ${go} ]; do sleep 0.05; done
sed -i "s/^LR=.*/LR=$(($(wc -l < ${go}.count 2>/dev/null || echo 2) + 3))/" train.sh; echo >> ${go}.count
echo '{"hypothesis":"another LR"}'`;
    const args = [
      'run',
      night.repository,
      '--tag',
      TAG,
      '-n',
      '2',
      '--lanes',
      'ssh:lab',
      '--command',
      proposer,
    ];
    const options = { home: night.home, env: { PATH: await pathWithHosts(sshd) } };
    const running = new RunningPawl(args, options);
    await running.waitFor(event => event.type === 'verdict' && event.n === 1);
    expect(await readdir(join(sshd.home, '.cache/pawl/jobs'))).toHaveLength(1);
    expect((await pawl(['jobs'], options)).stdout).toBe('No job is known on another machine.\n');
    await writeFile(go, '');
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(join(sshd.home, '.cache/pawl/jobs'))).toEqual([]);
  });

  test('a gain is not tried with other seeds, because the host trains what was committed', async () => {
    const night = await prepareNight({
      trainer: `SEED=7\nLR=0\nprintf 'val_bpb: 1.%05d\\n' $((5000 + SEED * 111 - LR * 10))\n`,
      contract: contractFile({ limitSeconds: 600 }),
    });
    const { repository, home } = night;
    const proposer = `sed -i 's/^LR=0/LR=100/' train.sh; echo '{"hypothesis":"LR=100"}'`;
    const args = ['run', repository, '--tag', TAG, '-n', '1', '--lanes', 'ssh:lab', '--command', proposer];
    const env = { PATH: await pathWithHosts(sshd), PAWL_VERDICT: undefined };
    const { code, stderr, events } = await sitting(args, { home, env });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(eventsOf(events, 'verdict').at(-1)).toMatchObject({ n: 1, verdict: 'keep' });
    expect(eventsOf(events, 'repeat_started').map(({ purpose }) => purpose)).not.toContain('seed');
    expect(eventsOf(events, 'study_stopped')[0]?.claims.join()).not.toMatch(/with other seeds/);
  });

  test('a number from other hardware than the baseline’s does not decide, whatever it is', async () => {
    const on = (name: string) => giveGpus(sshd, [{ uuid: 'GPU-1', name }]);
    const night = await prepareNight({ contract: contractFile({ limitSeconds: 600 }) });
    const { repository, home } = night;
    const options = { home, env: { PATH: await pathWithHosts(sshd) } };
    const lanes = ['--lanes', 'ssh:lab/whole'];
    await on('Test GPU');
    await sitting(['run', repository, '--tag', TAG, '-n', '0', ...lanes], options);
    await on('Faster GPU');
    const refused = await pawl(['resume', repository, '-n', '1', '--lanes', 'ssh:lab'], options);
    expect(refused.stderr).toContain('Runs would train on Faster GPU, the baseline on Test GPU');
    // Which of its GPUs a training would take is not known before.
    const { code, events } = await sitting(['resume', repository, '-n', '1', ...lanes], options);
    expect(code).toBe(0);
    expect(eventsOf(events, 'verdict').at(-1)).toMatchObject({
      verdict: 'discard',
      reason: 'other_hardware',
    });
    const { experiments } = rowsOf(home);
    expect(experiments.map(({ metric }) => metric)).toEqual([expect.any(Number), null]);
    expect(eventsOf(events, 'run_finished').map(({ summary }) => summary)).toEqual(
      Array(3).fill(expect.objectContaining({ val_bpb: expect.any(Number) })),
    );
    await checkNight(night);
  });

  /** A study on a host with two GPUs, whose trainings wait, and say where they ran and whether they shared a GPU. */
  async function onTwoGpus() {
    await giveGpus(sshd, [
      { uuid: 'GPU-1', name: 'Test GPU' },
      { uuid: 'GPU-2', name: 'Test GPU' },
    ]);
    const place = await temporaryFolder();
    const trainer = `gpu=${place}/on-$CUDA_VISIBLE_DEVICES
mkdir $gpu || echo "$PAWL_RUN" >> ${place}/shared
trap 'rmdir $gpu; exit 1' TERM
if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo "$PAWL_RUN $CUDA_VISIBLE_DEVICES" >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
rmdir $gpu
value=`;
    const night = await prepareNight({
      trainer: FAST_TRAINER.replace(/^value=/m, trainer),
      contract: contractFile({ limitSeconds: 600 }),
    });
    const options = { home: night.home, env: { PATH: await pathWithHosts(sshd) } };
    const args = ['run', night.repository, '--tag', TAG, '-n', '5', '--lanes', 'ssh:lab'];
    const first = new RunningPawl(args, options);
    /** Run and GPU of each training that has begun. */
    const began = async () => {
      const lines = (await readFile(join(place, 'began'), 'utf8').catch(() => '')).split('\n');
      return lines.flatMap(line => /^[^/]*\/(.*)/.exec(line)?.[1] ?? []).sort();
    };
    const untilBegan = (count: number) => expect.poll(began).toHaveLength(count);
    await untilBegan(2);
    return { night, options, first, place, began, untilBegan };
  }

  test('each GPU of the host has a run at a time, and what goes on there without the engine is taken by the next', async () => {
    const { night, options, first, place, began, untilBegan } = await onTwoGpus();
    expect((await pawl(['stop', '--run', '1'], options)).code).toBe(0);
    await first.waitFor(event => event.type === 'verdict' && event.n === 1);
    await untilBegan(3);
    await first.kill();
    const before = await began();
    expect(before.map(line => line.split(' ')[0])).toEqual(['1.0', '2.0', '3.0']);
    expect(new Set(before.slice(0, 2).map(line => line.split(' ')[1]))).toEqual(new Set(['GPU-1', 'GPU-2']));
    const again = new RunningPawl(['resume', night.repository], options);
    await again.waitFor(({ type }) => type === 'study_started');
    await writeFile(join(place, 'go'), '');
    expect(await again.ended).toMatchObject({ code: 0, stderr: '' });
    expect(
      eventsOf(again.events, 'verdict')
        .map(({ n }) => n)
        .sort(),
    ).toEqual([2, 3, 4, 5]);
    expect((await began()).map(line => line.split(' ')[0])).toEqual(['1.0', '2.0', '3.0', '4.0', '5.0']);
    const crashes = rowsOf(night.home).experiments.filter(({ verdict }) => verdict === 'crash');
    expect(crashes).toMatchObject([{ n: 1, reason: 'killed' }]);
    expect(await readdir(place)).toEqual(['began', 'go']);
    expect(await readdir(join(sshd.home, '.cache/pawl/jobs'))).toEqual([]);
    await checkNight(night);
  });

  test('all that goes on there at once is ended where nobody goes on with it', async () => {
    const { night, options, first, place } = await onTwoGpus();
    await first.kill();
    const { code, stderr } = await sitting(
      ['resume', night.repository, '--lanes', 'cpu:1', '-n', '0'],
      options,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    // Both were told to, and have given their GPUs back.
    expect(await readdir(place)).toEqual(['began']);
    expect(await readdir(join(sshd.home, '.cache/pawl/jobs'))).toEqual([]);
    expect((await pawl(['jobs'], options)).stdout).toBe('No job is known on another machine.\n');
  });
});
