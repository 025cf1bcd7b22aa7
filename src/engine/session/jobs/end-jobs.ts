import { join } from 'node:path';
import type { JobPlace } from '../../../shared/machines/lanes.ts';
import type { DataPaths } from '../../paths.ts';
import { jobName } from '../../remote/describe-job.ts';
import { ANSWER_MS, type KnownJob, type RemoteTraining } from '../../remote/remote-training.ts';
import { SlurmTraining } from '../../remote/slurm/slurm-training.ts';
import { SshClient } from '../../remote/ssh/ssh-client.ts';
import { HOST_FOLDER, SshTraining } from '../../remote/ssh/ssh-training.ts';
import type { Job } from '../../store/jobs.ts';
import type { Ledger } from '../../store/ledger.ts';

/** How long to wait for jobs to end before the user is told about them. */
export const END_JOBS_MS = 45_000;

export type EndPorts = {
  readonly ledger: Ledger;
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
};

export type HowToEnd = {
  /** Whose they are, for the sentences; default: `this study`. */
  readonly whose?: string;
  /** The user waits: a machine that does not answer at once is left alone. */
  readonly isWaitedFor?: boolean;
  /** Places that have not answered just now. */
  readonly silent?: readonly JobPlace[];
};

/** The same text for the same place. */
export function keyOf(place: JobPlace): string {
  return JSON.stringify(place);
}

/**
 * Ends jobs on other machines whose results are no longer needed. Jobs that may still run stay in the ledger.
 * @returns a sentence for each place with such jobs
 */
export async function endJobs(
  jobs: readonly Job[],
  ports: EndPorts,
  signal: AbortSignal,
  how: HowToEnd = {},
): Promise<readonly string[]> {
  const places = Map.groupBy(jobs, ({ place }) => keyOf(place));
  const left = await Promise.all([...places.values()].map(own => endJobsAt(own, ports, signal, how)));
  return left.flat();
}

async function endJobsAt(
  jobs: readonly Job[],
  { ledger, paths, environment }: EndPorts,
  signal: AbortSignal,
  { whose = 'this study', isWaitedFor = false, silent = [] }: HowToEnd,
): Promise<readonly string[]> {
  const [first] = jobs;
  if (!first) return [];
  const isSilent = silent.some(place => keyOf(place) === keyOf(first.place));
  if (isSilent) return describeLeft(jobs, first.place, whose);
  const opened = await open(first.place, paths, environment).catch(() => null);
  // A name that ssh cannot take, for example; other places are handled all the same.
  if (!opened) return describeLeft(jobs, first.place, whose);
  const { training, close } = opened;
  const isEnded = async (job: Job) => {
    const known: KnownJob = { marker: job.marker, repository: { gitDir: job.gitDir } };
    const ended = await training.end(known, signal).catch(() => false);
    if (ended) ledger.write(() => ledger.jobs.remove(job.marker));
    return ended;
  };
  try {
    const isTried = !isWaitedFor || (await training.answers(AbortSignal.timeout(ANSWER_MS)));
    const ended = await Promise.all(jobs.map(job => isTried && isEnded(job)));
    const left = jobs.filter((_, at) => !ended[at]);
    return describeLeft(left, first.place, whose);
  } finally {
    await close();
  }
}

async function open(
  place: JobPlace,
  paths: DataPaths,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly training: RemoteTraining; readonly close: () => Promise<void> }> {
  if (place.kind === 'slurm') {
    const { folder } = place;
    const cluster = { engine: 'slurm', lanes: 1, sbatch: [], folder, modules: [], prelude: null } as const;
    return { training: new SlurmTraining({ cluster, root: folder, environment }), close: async () => {} };
  }
  const client = await SshClient.open(place.host);
  const root = hostFolder(paths, place.host);
  return { training: new SshTraining({ client, root }), close: () => client.close() };
}

/** The folder on this machine for the run files of an ssh host. */
export function hostFolder({ home }: DataPaths, host: string): string {
  return join(home, 'hosts', host);
}

/** Machine and folder of a job, for the user to look at. */
export function folderThere({ marker, place }: Pick<Job, 'marker' | 'place'>): string {
  const name = jobName(marker);
  return place.kind === 'slurm'
    ? join(place.folder, 'jobs', name)
    : `${place.host}:~/${HOST_FOLDER}/jobs/${name}`;
}

/** A sentence about those that may still run; none if none may. */
function describeLeft(jobs: readonly Job[], place: JobPlace, whose: string): readonly string[] {
  const mayRun = jobs.filter(({ hasEnded }) => !hasEnded);
  if (mayRun.length === 0) return [];
  const names = mayRun.map(({ marker }) => jobName(marker)).join(', ');
  const where = place.kind === 'slurm' ? 'on the cluster' : `on ${place.host}`;
  return [
    `Jobs of ${whose} may still run ${where}, because it is not known that they have ended: ${names}. "pawl jobs" lists them, and gives up those of a machine that is gone for good.`,
  ];
}
