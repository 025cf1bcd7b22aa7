import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, type Night, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

const clusterNight = (trainer = FAST_TRAINER, more = ''): Promise<Night> =>
  prepareNight({
    trainer,
    contract: `${contractFile({ limitSeconds: 600, more })}
[cluster]
engine = "slurm"
folder = ${JSON.stringify(slurm.folder)}
lanes = 2
`,
  });

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a study in lanes of a cluster', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  test('every run is a job, and nothing of it is left there', async () => {
    const night = await clusterNight();
    const args = ['run', night.repository, '--tag', TAG, '-n', '4', '--lanes', 'slurm'];
    const { code, stderr, events } = await sitting(args, { home: night.home, env: slurm.environment });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { experiments } = rowsOf(night.home);
    expect(experiments.map(({ n, phase }) => [n, phase])).toEqual([0, 1, 2, 3, 4].map(n => [n, 'recorded']));
    expect(experiments.filter(({ verdict }) => verdict === 'crash')).toEqual([]);
    const started = events.filter(({ type }) => type === 'run_started');
    expect(started).toHaveLength(5);
    expect(await readdir(join(slurm.folder, 'jobs')).catch(() => [])).toEqual([]);
    await checkNight(night);
  });

  test('jobs go on without the engine, and the next one takes their results instead of training again', async () => {
    const place = await temporaryFolder();
    const trainer = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo "$PAWL_RUN" >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
value=`;
    const night = await clusterNight(FAST_TRAINER.replace(/^value=/m, trainer));
    const args = ['run', night.repository, '--tag', TAG, '-n', '2', '--lanes', 'slurm'];
    const first = new RunningPawl(args, { home: night.home, env: slurm.environment });
    for (const n of [1, 2]) await first.waitFor(event => event.type === 'run_started' && event.n === n);
    await first.kill();
    await writeFile(join(place, 'go'), '');
    const again = await sitting(['resume', night.repository], { home: night.home, env: slurm.environment });
    expect(again.stderr).toBe('');
    expect(again.code).toBe(0);
    // Of each one job began.
    const began = (await readFile(join(place, 'began'), 'utf8')).trim().split('\n');
    expect(began.map(line => line.split('/')[1]).sort()).toEqual(['1.0', '2.0']);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual([
      ...['recorded', 'recorded', 'recorded'],
    ]);
    expect(existsSync(join(slurm.folder, 'jobs'))).toBe(true);
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
    await checkNight(night);
  });

  test('a job that somebody cancels is one lost run, and the next run of its commit trains', async () => {
    const place = await temporaryFolder();
    const trainer = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo "$SLURM_JOB_ID" >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
value=`;
    const night = await clusterNight(FAST_TRAINER.replace(/^value=/m, trainer));
    const args = ['run', night.repository, '--tag', TAG, '-n', '1', '--lanes', 'slurm:1'];
    const running = new RunningPawl(args, { home: night.home, env: slurm.environment });
    await running.waitFor(event => event.type === 'run_started' && event.n === 1);
    const began = () => readFile(join(place, 'began'), 'utf8').catch(() => '');
    await expect.poll(began).toMatch(/\n/);
    await slurm.slurm('scancel', (await began()).trim());
    await running.waitFor(event => event.type === 'run_unfair' && event.n === 1);
    await writeFile(join(place, 'go'), '');
    expect((await running.ended).code).toBe(0);
    const outcomes = rowsOf(night.home).runs.map(({ n, outcome }) => [n, JSON.parse(outcome ?? '').kind]);
    expect(outcomes).toEqual([
      ...[
        [0, 'exit'],
        [1, 'interrupted'],
        [1, 'exit'],
      ],
    ]);
    await checkNight(night);
  });

  test('a stop does not wait for a shared folder that does not answer, and the study goes on once it does', async () => {
    const place = await temporaryFolder();
    const trainer = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then until [ -e ${place}/go ]; do sleep 0.05; done; fi
value=`;
    const night = await clusterNight(FAST_TRAINER.replace(/^value=/m, trainer));
    const options = { home: night.home, env: slurm.environment };
    const args = ['run', night.repository, '--tag', TAG, '-n', '1', '--lanes', 'slurm:1'];
    const running = new RunningPawl(args, options);
    await running.waitFor(event => event.type === 'run_started' && event.n === 1);
    // Who opens it to read waits for somebody who writes, as for a server that is out of reach.
    const [job = ''] = (await readdir(join(slurm.folder, 'jobs'))).filter(name => name.endsWith('-1.0'));
    const log = join(slurm.folder, 'jobs', job, 'output.log');
    await expect.poll(() => existsSync(log)).toBe(true);
    await rm(log);
    await promisify(execFile)('mkfifo', [log]);
    await pawl(['stop', '--now'], options);
    await running.waitFor(event => event.type === 'study_stopped');
    expect(eventsOf(running.events, 'warning').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Whether job \d+ has ended is not known/),
      expect.stringMatching(/^Jobs of this study may still run on the cluster/),
    ]);
    // Although one of its threads waits, for which no process can end by itself.
    expect(await running.ended).toMatchObject({ code: 130, signal: null });
    await writeFile(join(place, 'go'), '');
    expect(await sitting(['resume', night.repository], options)).toMatchObject({ code: 0, stderr: '' });
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(['recorded', 'recorded']);
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
    await checkNight(night);
  });
});
