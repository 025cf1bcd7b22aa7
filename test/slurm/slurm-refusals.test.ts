import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slowness } from '../support/clock.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { jobOf, nameOf, WAITS, Watched } from '../support/remote-jobs.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { fillDisk, freeDisk, NO_SMALL_DISK, smallDisk } from '../support/small-disk.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { trainingOn } from './slurm-jobs.ts';
import { pathWithSbatch } from './stand-in-sbatch.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

/** One that does not run on, for experiments that another machine is asked for. */
const clusterNight = (lanes: number, trainer = FAST_TRAINER, folder = slurm.folder) =>
  prepareNight({
    trainer,
    contract: `${contractFile({ limitSeconds: 600 })}
[cluster]
engine = "slurm"
folder = ${JSON.stringify(folder)}
lanes = ${lanes}
`,
  });

const TOO_MANY = 'echo "sbatch: error: AssocMaxSubmitJobLimit" >&2; exit 1';
const POLICY = 'Job violates accounting/QOS policy (job submit limit, the size or time limits of a user)';

// Without Slurm there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a job that Slurm refuses', () => {
  beforeAll(async () => {
    // One that has ended is forgotten soon, so that it does not count any more.
    slurm = await startSlurm('MaxJobCount=3\nMinJobAge=2\n');
  });
  afterAll(() => slurm?.stop());

  test('one that is too many for its user waits with the words of Slurm, and is trained later', async () => {
    const go = join(await temporaryFolder(), 'go');
    const PATH = await pathWithSbatch(`[ -e ${go} ] || {
  echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2
  echo 'sbatch: error: Batch job submission failed: ${POLICY}' >&2
  exit 1
}`);
    const environment = { ...slurm.environment, PATH };
    const watched = new Watched(
      trainingOn(slurm, {}, { environment, pauseMs: 200 }),
      await jobOf('echo done\n'),
    );
    await watched.queuedFor(`sbatch: QOSMaxSubmitJobPerUserLimit Batch job submission failed: ${POLICY}`);
    await writeFile(go, '');
    expect(await watched.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(watched.output).toBe('done\n');
  });

  test('one that is too many waits no longer than until it is stopped', async () => {
    const PATH = await pathWithSbatch(TOO_MANY);
    const environment = { ...slurm.environment, PATH };
    const watched = new Watched(trainingOn(slurm, {}, { environment }), await jobOf('echo done\n'));
    await watched.refusedFor('sbatch: AssocMaxSubmitJobLimit');
    watched.stop();
    expect(await watched.result).toMatchObject({ outcome: { kind: 'aborted' }, isVerified: true });
  });

  test('one that is too many for the whole cluster says so while sbatch tries, and is trained later', async () => {
    const others = await Promise.all(
      [1, 2].map(async () => new Watched(trainingOn(slurm), await jobOf(WAITS))),
    );
    for (const other of others) await other.printed('begun');
    const late = new Watched(trainingOn(slurm), await jobOf('echo late\n'));
    await expect.poll(() => JSON.stringify(late.phases)).toMatch(/temporarily unable to accept job/);
    for (const other of others) other.stop();
    expect(await late.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(late.output).toBe('late\n');
  });

  test('one that makes way for something else leaves nothing behind, and is trained when it is asked for again', async () => {
    const go = join(await temporaryFolder(), 'go');
    const PATH = await pathWithSbatch(`[ -e ${go} ] || { ${TOO_MANY}; }`);
    const environment = { ...slurm.environment, PATH };
    const training = trainingOn(slurm, {}, { environment });
    const job = await jobOf('echo done\n');
    const watched = new Watched(training, job);
    await watched.queuedFor('sbatch: AssocMaxSubmitJobLimit');
    watched.putOff();
    expect(await watched.result).toMatchObject({
      end: { kind: 'put_off', message: 'sbatch: AssocMaxSubmitJobLimit' },
      isVerified: true,
    });
    expect(await readdir(join(slurm.folder, 'jobs'))).not.toContain(nameOf(job));
    await writeFile(go, '');
    const again = new Watched(training, job);
    // Once it is submitted, nothing keeps it from being trained.
    again.putOff();
    expect(await again.result).toMatchObject({ outcome: { kind: 'exit', code: 0 } });
    expect(again.output).toBe('done\n');
  });

  test('a study whose job is too many ends at its deadline, stops and pauses, and goes on later', async () => {
    const place = await temporaryFolder();
    const [go, asked] = [join(place, 'go'), join(place, 'asked')];
    const PATH = await pathWithSbatch(`case "$*" in *-1.[0-9]\\ *)
  [ -e ${go} ] || { touch ${asked}; ${TOO_MANY}; } ;;
esac`);
    const night = await clusterNight(1);
    const options = { home: night.home, env: { ...slurm.environment, PATH } };
    const untilAsked = () => expect.poll(() => existsSync(asked)).toBe(true);
    const phases = () => rowsOf(night.home).experiments.map(({ phase }) => phase);
    const args = ['run', night.repository, '--tag', TAG, '-n', '1', '--lanes', 'slurm'];
    const running = new RunningPawl(args, options);
    await untilAsked();
    expect((await pawl(['stop'], options)).code).toBe(0);
    expect((await running.ended).stderr).toBe('');
    expect(eventsOf(running.events, 'study_stopped')).toMatchObject([{ reason: 'user' }]);
    expect(phases()).toEqual(['recorded', 'put_off']);
    const deadline = new Date(Date.now() + 5_000 * slowness()).toISOString();
    const late = await sitting(['resume', night.repository, '--deadline', deadline], options);
    expect(late.stderr).toBe('');
    expect(eventsOf(late.events, 'study_stopped')).toMatchObject([{ reason: 'deadline' }]);
    expect(phases()).toEqual(['recorded', 'put_off']);
    await rm(asked);
    const never = new Date(Date.now() + 3_600_000).toISOString();
    const again = new RunningPawl(['resume', night.repository, '--deadline', never], options);
    await untilAsked();
    await pawl(['pause'], options);
    await again.waitFor(({ type }) => type === 'study_paused');
    await writeFile(go, '');
    await pawl(['resume', night.repository], options);
    expect((await again.ended).stderr).toBe('');
    expect(eventsOf(again.events, 'verdict').map(({ n }) => n)).toEqual([1]);
    expect(phases()).toEqual(['recorded', 'recorded']);
    expect((await readdir(join(slurm.folder, 'jobs'))).join()).not.toContain(rowsOf(night.home).studyId);
    await checkNight(night);
  });

  test('a job that is too many does not keep a study going that another lane was refused in', async () => {
    const place = await temporaryFolder();
    const [go, asked] = [join(place, 'go'), join(place, 'asked')];
    const PATH = await pathWithSbatch(`case "$*" in
*-1.[0-9]\\ *) [ -e ${go} ] || { touch ${asked}; ${TOO_MANY}; } ;;
*-2.[0-9]\\ *) [ -e ${go} ] || {
  until [ -e ${asked} ]; do sleep 0.05; done; set -- --partition=nowhere "$@"
} ;;
esac`);
    const night = await clusterNight(2);
    const options = { home: night.home, env: { ...slurm.environment, PATH } };
    const args = ['run', night.repository, '--tag', TAG, '-n', '2', '--lanes', 'slurm'];
    const { code, stderr } = await sitting(args, options);
    expect(stderr).toMatch(/[Ii]nvalid partition/);
    expect(code).not.toBe(0);
    const phases = () => rowsOf(night.home).experiments.map(({ phase }) => phase);
    expect(phases()).toEqual(['recorded', 'put_off', 'put_off']);
    await writeFile(go, '');
    const again = await sitting(['resume', night.repository], options);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(phases()).toEqual(['recorded', 'recorded', 'recorded']);
    await checkNight(night);
  });

  test('what was asked for and is not there ends the study, and what others train is recorded first', async () => {
    const place = await temporaryFolder();
    const PATH = await pathWithSbatch(`case "$*" in *-2.0\\ *)
  [ -e ${place}/mended ] || set -- --partition=nowhere "$@"
  touch ${place}/asked ;;
esac`);
    const trainer = FAST_TRAINER.replace(
      /^value=/m,
      `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo "$PAWL_RUN" >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
value=`,
    );
    const night = await clusterNight(2, trainer);
    const options = { home: night.home, env: { ...slurm.environment, PATH } };
    const args = ['run', night.repository, '--tag', TAG, '-n', '4', '--lanes', 'slurm'];
    const running = new RunningPawl(args, options);
    await running.waitFor(event => event.type === 'run_started' && event.n === 1);
    await running.waitFor(event => event.type === 'put_off' && event.n === 2);
    await writeFile(join(place, 'go'), '');
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/[Ii]nvalid partition/);
    expect(code).not.toBe(0);
    expect(eventsOf(running.events, 'verdict').map(({ n }) => n)).toEqual([0, 1]);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual([
      ...['recorded', 'recorded', 'put_off'],
    ]);
    await writeFile(join(place, 'mended'), '');
    const again = await sitting(['resume', night.repository], options);
    expect(again.stderr).toBe('');
    expect(again.code).toBe(0);
    await checkNight(night);
  });

  test.skipIf(NO_SMALL_DISK !== null)(
    'nothing is trained while the shared folder is full, and the study says so',
    async () => {
      const disk = await smallDisk(64);
      const night = await clusterNight(1, FAST_TRAINER, disk);
      const options = { home: night.home, env: slurm.environment };
      await fillDisk(disk);
      const args = ['run', night.repository, '--tag', TAG, '-n', '0', '--lanes', 'slurm'];
      const full = await sitting(args, options);
      expect(full.stderr).toBe(
        `pawl: Nothing was trained. The disk that holds ${disk} is full. Make room there, then resume the study.\n`,
      );
      expect(full.code).not.toBe(0);
      await freeDisk(disk);
      expect(await sitting(['resume', night.repository], options)).toMatchObject({ code: 0, stderr: '' });
      expect(rowsOf(night.home).experiments).toMatchObject([{ n: 0, verdict: 'keep' }]);
      await checkNight(night);
    },
  );
});
