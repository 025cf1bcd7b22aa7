import { dirname, join } from 'node:path';
import type { Cluster } from '../../../shared/cluster.ts';
import { KILL_TIMES } from '../../process/kill-tree.ts';
import { type JobFolder, wrapperOf } from '../job-folder.ts';
import { quote } from '../quote.ts';
import type { RemoteJob } from '../remote-training.ts';

/** Before its limit a job is told, so that the outcome can be written. Slurm looks once a minute: it may come earlier by that. */
const WARNING_SECONDS = 60;
/** For the worktree, looking at GPUs, modules, ending processes, and what the warning may come too early. */
const MARGIN_SECONDS = 180;

/** Slurm's limit for a job, in minutes; the wrapper keeps the budget in seconds, and this is for where it cannot. */
export function limitMinutes({
  setUp,
  train,
  metric,
}: Pick<RemoteJob, 'setUp' | 'train' | 'metric'>): number {
  const phases = [setUp, train, metric].filter(phase => phase !== null);
  const seconds = phases.reduce((sum, phase) => sum + phase.seconds + (2 * KILL_TIMES.askMs) / 1000, 0);
  return Math.ceil((seconds + WARNING_SECONDS + MARGIN_SECONDS) / 60);
}

/** Options of `sbatch`. The user's come first: of an option that is given twice the last one counts. */
export function sbatchOptions(
  cluster: Cluster,
  { name, path }: JobFolder,
  minutes: number,
): readonly string[] {
  return [
    ...cluster.sbatch,
    ...['--parsable', `--job-name=${name}`, `--comment=${name}`, `--time=${minutes}`],
    // The default hands on the whole environment, and the scheduler keeps it.
    '--export=NIL',
    // A run is trained once. What was preempted is a run that did not end, and the next is another one.
    '--no-requeue',
    `--signal=B:USR1@${WARNING_SECONDS}`,
    ...[`--chdir=${path}`, `--output=${join(path, 'job.out')}`, '--open-mode=append', '--input=/dev/null'],
  ];
}

/** The job's script. It becomes the wrapper, which then hears what Slurm tells the script. */
export function batchScript(cluster: Cluster, folder: JobFolder): string {
  const wrapper = quote(wrapperOf(folder));
  return [...openingLines(cluster), `exec python3 ${wrapper} ${quote(dirname(wrapperOf(folder)))}`, ''].join(
    '\n',
  );
}

/** How a job's script begins: with the environment that the user has on a node. */
export function openingLines({ modules, prelude }: Cluster): readonly string[] {
  return [
    '#!/bin/bash -l',
    // Slurm's warning is for the wrapper; until that is there, it must not end the script.
    "trap '' USR1",
    ...modules.map(name => `module load ${quote(name)} || exit 1`),
    ...(prelude === null ? [] : [prelude]),
  ];
}
