import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import type { EngineEvent } from '../src/shared/events.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from '../test/slurm/private-slurm.ts';
import { EACH, type Measured, measureStudy, TRAIN_SECONDS } from './lanes.ts';
import { printTable } from './report.ts';

/** The number of processors of the private Slurm. */
const LANES = 4;

/**
 * Experiments a second in jobs of a private Slurm, compared with as many plain jobs at once that only sleep for as
 * long.
 */
export async function benchLanesOnSlurm(): Promise<void> {
  const fault = findSlurmFault();
  if (fault !== null) {
    console.log(`Lanes on Slurm: not measured. ${fault}`);
    return;
  }
  const slurm = await startSlurm();
  try {
    const plain = await plainJobs(slurm, EACH * LANES);
    const cluster = `[cluster]\nengine = "slurm"\nfolder = ${JSON.stringify(slurm.folder)}\n`;
    const study = await measureStudy(
      { kind: 'search', seed: 1 },
      { count: LANES, words: [`slurm:${LANES}`], environment: slurm.environment, contract: cluster },
    );
    const ratio = study.perSecond / plain;
    printTable(`Lanes on Slurm: ${LANES} jobs at once, trainings of ${TRAIN_SECONDS} s`, [
      {
        ...{ what: `${LANES} lanes`, value: study.perSecond, unit: 'experiments/s' },
        reference: `plain sbatch of sleep ${TRAIN_SECONDS}, ${plain.toFixed(3)}; at least 0.9`,
        ...{ ratio, isGood: ratio >= 0.9 },
      },
      ...partsOf(study).map(([what, value]) => ({
        ...{ what, value, unit: 's/experiment', reference: '', ratio: null, isGood: null },
      })),
    ]);
  } finally {
    await slurm.stop();
  }
}

/** Jobs a second from the first submission to the last end, by the jobs' own clock. */
async function plainJobs(slurm: PrivateSlurm, count: number): Promise<number> {
  const began = Date.now();
  const wrap = `--wrap=sleep ${TRAIN_SECONDS}; date +%s%3N > ${slurm.folder}/$SLURM_JOB_ID.end`;
  for (let job = 0; job < count; job += 1) await slurm.slurm('sbatch', '--output=/dev/null', wrap);
  const ends = async () => (await readdir(slurm.folder)).filter(name => name.endsWith('.end'));
  for await (const _ of setInterval(100)) if ((await ends()).length === count) break;
  const times = await Promise.all(
    (await ends()).map(async name => Number(await readFile(join(slurm.folder, name), 'utf8'))),
  );
  return count / ((Math.max(...times) - began) / 1000);
}

/** The mean time that each part of an experiment takes. */
function partsOf({ events }: Measured): readonly (readonly [string, number])[] {
  const parts = {
    proposing: [] as number[],
    starting: [] as number[],
    training: [] as number[],
    judging: [] as number[],
  };
  const last = new Map<number, EngineEvent>();
  for (const event of events) {
    if (!('n' in event) || event.n === null) continue;
    const before = last.get(event.n);
    const seconds = before ? (event.at - before.at) / 1000 : 0;
    // It is reported again as the job moves up in the queue, and when it is measured.
    if (event.type === 'phase' && (event.phase !== 'training' || before?.type !== 'experiment_started'))
      continue;
    if (event.type === 'phase') parts.proposing.push(seconds);
    else if (event.type === 'run_started') parts.starting.push(seconds);
    else if (event.type === 'run_finished') parts.training.push(seconds);
    else if (event.type === 'verdict') parts.judging.push(seconds);
    else if (event.type !== 'experiment_started') continue;
    last.set(event.n, event);
  }
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
  return [
    ['to propose, commit and lay out', mean(parts.proposing)],
    ['to submit, queue and start', mean(parts.starting)],
    ['from the start that is seen to the end that is', mean(parts.training)],
    ['to judge and record', mean(parts.judging)],
  ];
}
