import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listedGpus } from '../support/gpu-stand-ins.ts';
import { killAtRandom } from '../support/kills.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, readMarks, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, giveGpus, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';

const fault = findSshdFault();
let sshd: PrivateSshd;

/** Reaches a better number with the same code on the second GPU, and is quicker there. */
const TRAINER = FAST_TRAINER.replace(
  /^printf/m,
  '[ "$CUDA_VISIBLE_DEVICES" = GPU-2 ] && value=$((value - 300000)) || sleep 1\nprintf',
);

/** The first is the baseline's. */
const LANES = ['--lanes', 'ssh:lab/gpu:1,ssh:lab/gpu:0'];

/** A proposer that sets LR to one of these after the other. */
async function proposing(values: string): Promise<string> {
  const next = join(await temporaryFolder(), 'next');
  await writeFile(next, `${values}\n`);
  // Two lanes may ask at once.
  return `exec 9>${next}.lock; flock 9; read -r lr rest < ${next}; echo "$rest" > ${next}
    sed -i "s/^LR=.*/LR=$lr/" train.sh; echo '{"hypothesis":"LR"}'`;
}

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('lanes on two models of GPU', () => {
  beforeAll(async () => {
    sshd = await startSshd();
    await giveGpus(sshd, [
      { uuid: 'GPU-2', name: 'Faster GPU' },
      { uuid: 'GPU-1', name: 'Test GPU' },
    ]);
  });
  afterAll(() => sshd?.stop());

  test('what may be a gain on the other model is trained again on the baseline’s, and only that decides', async () => {
    const night = await prepareNight({ trainer: TRAINER, contract: contractFile({ limitSeconds: 600 }) });
    const { repository, home } = night;
    const command = await proposing('3 4 5 6 7 1');
    const { code, stderr, events } = await sitting(
      ['run', repository, '--tag', TAG, '-n', '6', ...LANES, '--command', command],
      { home, env: { PATH: await pathWithHosts(sshd) } },
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^lab, GPU 0: Faster GPU has another GPU than the baseline\. It screens/),
    );
    const { experiments, runs } = rowsOf(home);
    const began = (model: string) =>
      runs.flatMap(({ lane, purpose, n }) => (lane?.includes(model) && purpose === null ? [n] : [])).sort();
    const [screened, counting] = [began('Faster GPU'), began('Test GPU')];
    expect(screened).not.toEqual([]);
    expect(new Set(screened).size).toBe(screened.length);
    // First of all it is learnt what the baseline reaches there.
    const references = runs.filter(({ purpose }) => purpose === 'reference');
    expect(references[0]).toMatchObject({ n: 0, lane: expect.stringContaining('Faster GPU') });
    expect(experiments.map(({ phase }) => phase)).toEqual(Array(7).fill('recorded'));
    for (const { n, reason, metric } of experiments) {
      const isCounted = counting.includes(n);
      expect(reason === 'screened').toBe(!isCounted);
      // Below 1 it would be from the other GPU.
      if (isCounted) expect(metric).toBeGreaterThan(1);
      else expect(metric).toBeNull();
    }
    const again = screened.filter(n => counting.includes(n));
    expect(again).not.toEqual([]);
    expect(
      eventsOf(events, 'handed_over')
        .map(({ n }) => n)
        .sort(),
    ).toEqual(again);
    // One sentence tells it.
    expect(
      events.filter(({ type }) => type === 'run_unfair' || type === 'interrupted' || type === 'put_off'),
    ).toEqual([]);
    expect(readMarks(home, 'unfair')).toEqual([]);
    const why = 'it was trained on Faster GPU, the baseline on Test GPU';
    expect(readMarks(home, 'handed_over').toSorted()).toEqual(
      again.map(n => `#${n} was set aside for a lane with the hardware of the baseline: ${why}`),
    );
    await checkNight(night);
  });

  test('what waits for a lane with the baseline’s model goes on in the next sitting after a stop', async () => {
    const go = join(await temporaryFolder(), 'go');
    // After the baseline, the lane with its model is busy.
    const wait = `case $LR$CUDA_VISIBLE_DEVICES in 2* | *GPU-2) ;; *) until [ -e ${go} ]; do sleep 0.05; done ;; esac`;
    const trainer = TRAINER.replace(/^printf/m, `${wait}\nprintf`);
    const night = await prepareNight({ trainer, contract: contractFile({ limitSeconds: 600 }) });
    const { repository, home } = night;
    const options = { home, env: { PATH: await pathWithHosts(sshd) } };
    const command = await proposing('3 4 5');
    const running = new RunningPawl(
      ['run', repository, '--tag', TAG, '-n', '3', ...LANES, '--command', command],
      options,
    );
    const { n } = (await running.waitFor(({ type }) => type === 'handed_over')) as { n: number };
    const phaseOf = () => rowsOf(home).experiments.find(row => row.n === n)?.phase;
    expect(phaseOf()).toBe('attempted');
    expect((await pawl(['stop', '--now'], options)).code).toBe(0);
    await running.ended;
    expect(phaseOf()).toBe('put_off');
    await writeFile(go, '');
    const again = await sitting(['resume', repository], options);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(phaseOf()).toBe('recorded');
    await checkNight(night);
  });

  test('a GPU of this machine and one of the same model over ssh are lanes of one kind', async () => {
    const night = await prepareNight({
      trainer: FAST_TRAINER,
      contract: contractFile({ limitSeconds: 600 }),
    });
    const here = await listedGpus([{ uuid: 'GPU-7', name: 'Test GPU' }]);
    const env = { PATH: `${here}${delimiter}${await pathWithHosts(sshd)}` };
    const lanes = 'gpu:0,ssh:lab/gpu:1';
    const args = ['run', night.repository, '--tag', TAG, '-n', '8', '--lanes', lanes];
    const { code, stderr, events } = await sitting(args, { home: night.home, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(eventsOf(events, 'warning').filter(({ code }) => code === 'screening')).toEqual([]);
    const { experiments, runs } = rowsOf(night.home);
    // A number counts wherever it was measured, and was measured once.
    expect(new Set(runs.map(({ lane }) => lane?.split(',')[0]))).toEqual(new Set(['GPU 0: Test GPU', 'lab']));
    expect(runs).toHaveLength(experiments.length);
    expect(experiments.map(({ metric }) => metric)).toEqual(Array(9).fill(expect.any(Number)));
    expect(eventsOf(events, 'run_unfair')).toEqual([]);
    await checkNight(night);
  });

  test('kills at random instants lose nothing', async () => {
    const env = { PATH: await pathWithHosts(sshd) };
    // One in each lane, and one that waits for the baseline's.
    const killedIn = await killAtRandom(6, { lanes: LANES, atOnce: 3, env });
    expect(killedIn.size).toBeGreaterThan(0);
  });
});
