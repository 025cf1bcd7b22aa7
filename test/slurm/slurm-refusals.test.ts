import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, RunningPawl, sitting } from '../support/pawl.ts';
import { jobOf, WAITS, Watched } from '../support/remote-jobs.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';
import { trainingOn } from './slurm-jobs.ts';
import { pathWithSbatch } from './stand-in-sbatch.ts';

const fault = findSlurmFault();
let slurm: PrivateSlurm;

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
    const PATH = await pathWithSbatch('echo "sbatch: error: AssocMaxSubmitJobLimit" >&2; exit 1');
    const environment = { ...slurm.environment, PATH };
    const watched = new Watched(trainingOn(slurm, {}, { environment }), await jobOf('echo done\n'));
    await watched.queuedFor('sbatch: AssocMaxSubmitJobLimit');
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
    const contract = `${contractFile({ limitSeconds: 600 })}
[cluster]
engine = "slurm"
folder = ${JSON.stringify(slurm.folder)}
lanes = 2
`;
    const night = await prepareNight({ trainer, contract });
    const options = { home: night.home, env: { ...slurm.environment, PATH } };
    const args = ['run', night.repository, '--tag', TAG, '-n', '4', '--lanes', 'slurm'];
    const running = new RunningPawl(args, options);
    await running.waitFor(event => event.type === 'run_started' && event.n === 1);
    await running.waitFor(event => event.type === 'interrupted' && event.n === 2);
    await writeFile(join(place, 'go'), '');
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/[Ii]nvalid partition/);
    expect(code).not.toBe(0);
    expect(eventsOf(running.events, 'verdict').map(({ n }) => n)).toEqual([0, 1]);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual([
      ...['recorded', 'recorded', 'interrupted'],
    ]);
    await writeFile(join(place, 'mended'), '');
    const again = await sitting(['resume', night.repository], options);
    expect(again.stderr).toBe('');
    expect(again.code).toBe(0);
    await checkNight(night);
  });
});
