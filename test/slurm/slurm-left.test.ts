import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataPaths } from '../../src/engine/paths.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import { RunningPawl, sitting } from '../support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, type Night, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

/** A study that was killed while its first experiment trained as a job, which waits for a file. */
async function killedNight(): Promise<{ readonly night: Night; readonly place: string }> {
  const place = await temporaryFolder();
  const trainer = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ] && [ -n "$SLURM_JOB_ID" ]; then
  echo "$SLURM_JOB_ID" >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
value=`;
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^value=/m, trainer),
    contract: `${contractFile({ limitSeconds: 600 })}
[cluster]
engine = "slurm"
folder = ${JSON.stringify(slurm.folder)}
`,
  });
  const args = ['run', night.repository, '--tag', TAG, '-n', '1', '--lanes', 'slurm'];
  const running = new RunningPawl(args, { home: night.home, env: slurm.environment });
  await running.waitFor(event => event.type === 'run_started' && event.n === 1);
  await expect.poll(() => readFile(join(place, 'began'), 'utf8').catch(() => '')).toMatch(/\n/);
  await running.kill();
  return { night, place };
}

/** What Slurm says of the job that trained. */
async function stateOf(place: string): Promise<string> {
  const job = (await readFile(join(place, 'began'), 'utf8')).trim();
  return slurm.slurm('squeue', '--noheader', '--states=all', '--format=%T', `--jobs=${job}`);
}

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a job that a study does not go on with', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  test('is ended where the study goes on in other lanes', async () => {
    const { night, place } = await killedNight();
    const options = { home: night.home, env: slurm.environment };
    const { code, stderr, events } = await sitting(['resume', night.repository, '--lanes', 'cpu:1'], options);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(events.filter(event => event.type === 'warning' && event.code === 'jobs')).toEqual([]);
    expect(await stateOf(place)).not.toBe('RUNNING');
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(['recorded', 'recorded']);
    await checkNight(night);
  });

  test('is ended where the study is removed', async () => {
    const { night, place } = await killedNight();
    const environment = { ...process.env, ...slurm.environment, PAWL_HOME: night.home };
    const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
    try {
      const [study] = engine.ledger.studies.list();
      if (!study) throw new Error('there is no study');
      expect(engine.ledger.jobs.list(study.id)).toHaveLength(1);
      expect(await engine.removeStudy(study, true)).toEqual([]);
      expect(engine.ledger.jobs.list(study.id)).toEqual([]);
    } finally {
      engine.close();
    }
    expect(await stateOf(place)).not.toBe('RUNNING');
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
  });

  test('is ended where the study stops before it goes on with it', async () => {
    const { night, place } = await killedNight();
    const options = { home: night.home, env: slurm.environment };
    const { code, stderr } = await sitting(['resume', night.repository, '-n', '0'], options);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await stateOf(place)).not.toBe('RUNNING');
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(['recorded', 'interrupted']);
  });

  test('and that Slurm puts back into its queue meanwhile is adopted, and its commit trained once more', async () => {
    const { night, place } = await killedNight();
    const began = async () => (await readFile(join(place, 'began'), 'utf8')).trim().split('\n');
    const [job = ''] = await began();
    await slurm.slurm('scontrol', 'update', `jobid=${job}`, 'requeue=1');
    await slurm.slurm('scontrol', 'requeue', job);
    // Otherwise the training might end by itself before Slurm tells it to.
    const [name = ''] = await readdir(join(slurm.folder, 'jobs'));
    await expect.poll(() => existsSync(join(slurm.folder, 'jobs', name, 'outcome.json'))).toBe(true);
    await writeFile(join(place, 'go'), '');
    const options = { home: night.home, env: slurm.environment };
    const { code, stderr, events } = await sitting(['resume', night.repository], options);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const runs = await began();
    expect(runs).toHaveLength(2);
    expect(new Set(runs).size).toBe(2);
    // The run of the killed engine, the one that took the end of its job, and the one that trained.
    const ofOne = rowsOf(night.home).runs.filter(({ n }) => n === 1);
    expect(ofOne.map(({ outcome }) => JSON.parse(outcome ?? '').kind)).toEqual([
      ...['interrupted', 'interrupted', 'exit'],
    ]);
    expect(events.find(event => event.type === 'verdict' && event.n === 1)).not.toMatchObject({
      verdict: 'crash',
    });
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
    await checkNight(night);
  });

  test('is said to the user where Slurm does not answer, and ended by the next sitting', async () => {
    const { night, place } = await killedNight();
    const environment = { ...process.env, ...slurm.environment, PAWL_HOME: night.home };
    await slurm.stopController();
    const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
    try {
      const [study] = engine.ledger.studies.list();
      if (!study) throw new Error('there is no study');
      const [left] = await engine.endJobs(study.id, AbortSignal.timeout(2_000));
      expect(left).toMatch(
        /^Jobs of this study may still run on the cluster, .*pawl-.*-1\.0\. "pawl jobs" lists them/,
      );
      expect(engine.ledger.jobs.list(study.id)).toHaveLength(1);
    } finally {
      await slurm.startController();
      engine.close();
    }
    await writeFile(join(place, 'go'), '');
    const options = { home: night.home, env: slurm.environment };
    expect((await sitting(['resume', night.repository, '--lanes', 'cpu:1'], options)).code).toBe(0);
    expect(await stateOf(place)).not.toBe('RUNNING');
    expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
  });
});
