import { dirname, join } from 'node:path';
import type { Cluster } from '../../../shared/machines/cluster.ts';
import { KILL_TIMES } from '../../process/kill-tree.ts';
import { type JobFolder, wrapperOf } from '../job-folder.ts';
import { quote } from '../quote.ts';
import { commandsOf } from '../remote-training.ts';
import { FOR_CLIENTS } from './slurm-client.ts';

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
export function limitMinutes(job: Parameters<typeof commandsOf>[0]): number {
  const seconds = commandsOf(job).reduce(
    (sum, command) => sum + command.seconds + (2 * KILL_TIMES.askMs) / 1000,
    0,
  );
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
    EXPORT,
    // A run is trained once. A preempted job is a run that did not end; the next try is another run.
    '--no-requeue',
    `--signal=B:USR1@${WARNING_SECONDS}`,
    ...[`--chdir=${path}`, `--output=${join(path, 'job.out')}`, '--open-mode=append', '--input=/dev/null'],
  ];
}

/** The job's script. It becomes the wrapper, which then receives Slurm's signals to the script. */
export function batchScript(cluster: Cluster, folder: JobFolder): string {
  const wrapper = wrapperOf(folder);
  return loginScript(cluster, [`exec python3 ${quote(wrapper)} ${quote(dirname(wrapper))}`]);
}

/**
 * Slurm passes on the environment of sbatch, which is only what `CLIENT_VARIABLES` says. With any other value, the node
 * starts a login shell of its own before the job's, and the job waits for both.
 */
export const EXPORT = '--export=ALL';

/** A script that runs lines in the environment that the user has on a node when they sign in. */
export function loginScript({ modules, prelude }: Cluster, lines: readonly string[]): string {
  const inner = [
    ...modules.map(name => `module load ${quote(name)} || exit 1`),
    ...(prelude === null ? [] : [prelude]),
    ...lines,
  ];
  return `#!/bin/bash
# Slurm's warning is for the wrapper; until that has started, it must not end the script.
trap '' USR1
unset ${FOR_CLIENTS.join(' ')}
export PATH=/usr/local/bin:/usr/bin:/bin USER="$SLURM_JOB_USER" LOGNAME="$SLURM_JOB_USER"
exec bash -lc ${quote(inner.join('\n'))}
`;
}
