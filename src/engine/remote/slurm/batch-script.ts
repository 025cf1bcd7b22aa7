import { dirname, join } from 'node:path';
import type { Cluster } from '../../../shared/cluster.ts';
import { KILL_TIMES } from '../../process/kill-tree.ts';
import { type JobFolder, wrapperOf } from '../job-folder.ts';
import { quote } from '../quote.ts';
import type { RemoteJob } from '../remote-training.ts';

/**
 * A job is warned this long before its limit, so that the outcome can be written. Slurm checks once a minute, so the
 * warning may come up to a minute earlier.
 */
const WARNING_SECONDS = 60;
/** For the worktree, inspecting GPUs, modules, ending processes, and a warning that comes early. */
const MARGIN_SECONDS = 180;

/**
 * Slurm's limit for a job, in minutes; the wrapper enforces the budget in seconds, and this is for cases in which it
 * cannot.
 */
export function limitMinutes({
  setUp,
  train,
  metric,
}: Pick<RemoteJob, 'setUp' | 'train' | 'metric'>): number {
  const phases = [setUp, train, metric].filter(phase => phase !== null);
  const seconds = phases.reduce((sum, phase) => sum + phase.seconds + (2 * KILL_TIMES.askMs) / 1000, 0);
  return Math.ceil((seconds + WARNING_SECONDS + MARGIN_SECONDS) / 60);
}

/** Options with which the user chooses nodes. Source: sbatch(1). */
const CHOOSES_NODES = /^(?:-x|-w|-F|--exclude\b|--nodelist\b|--nodefile\b)/;

/**
 * Options of `sbatch`. The user's come first: if an option is given twice, the last one counts.
 * @param avoid nodes that the job must not get, unless the user chooses its nodes
 */
export function sbatchOptions(
  cluster: Cluster,
  { name, path }: JobFolder,
  minutes: number,
  avoid: readonly string[] = [],
): readonly string[] {
  const isFree = !cluster.sbatch.some(option => CHOOSES_NODES.test(option));
  return [
    ...cluster.sbatch,
    ...(isFree && avoid.length > 0 ? [`--exclude=${avoid.join(',')}`] : []),
    ...['--parsable', `--job-name=${name}`, `--comment=${name}`, `--time=${minutes}`],
    // By default Slurm passes on the whole environment, and the scheduler stores it.
    '--export=NIL',
    // A run is trained once. A preempted job is a run that did not end; the next try is another run.
    '--no-requeue',
    `--signal=B:USR1@${WARNING_SECONDS}`,
    ...[`--chdir=${path}`, `--output=${join(path, 'job.out')}`, '--open-mode=append', '--input=/dev/null'],
  ];
}

/** The job's script. It becomes the wrapper, which then receives Slurm's signals to the script. */
export function batchScript(cluster: Cluster, folder: JobFolder): string {
  const wrapper = quote(wrapperOf(folder));
  return [...openingLines(cluster), `exec python3 ${wrapper} ${quote(dirname(wrapperOf(folder)))}`, ''].join(
    '\n',
  );
}

/** The beginning of a job's script: sets the environment that the user has on a node. */
export function openingLines({ modules, prelude }: Cluster): readonly string[] {
  return [
    '#!/bin/bash -l',
    // Slurm's warning is for the wrapper; until that has started, it must not end the script.
    "trap '' USR1",
    ...modules.map(name => `module load ${quote(name)} || exit 1`),
    ...(prelude === null ? [] : [prelude]),
  ];
}
