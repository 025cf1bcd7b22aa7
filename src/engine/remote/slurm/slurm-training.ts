import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Cluster } from '../../../shared/machines/cluster.ts';
import type { JobPlace } from '../../../shared/machines/lanes.ts';
import { followJob } from '../follow-job.ts';
import { isStopped } from '../is-stopped.ts';
import {
  type JobFolder,
  jobFolder,
  jobNumber,
  outcomeOf,
  prepareFolder,
  removeFolder,
  writeCancel,
  writeSubmitted,
} from '../job-folder.ts';
import { isOnOwnDisk } from '../own-disk.ts';
import type { KnownJob, RemoteJob, RemoteResult, RemoteTraining, RemoteWatch } from '../remote-training.ts';
import { passingFull, rest } from '../rest.ts';
import { resultOf } from '../result.ts';
import { FolderSilent, inFolder } from '../shared-folder.ts';
import { batchScript, limitMinutes, sbatchOptions } from './batch-script.ts';
import { isOver } from './classify.ts';
import { QUEUE_INTERVAL_MS, SlurmQueue } from './queue.ts';
import { isOfUnknownNode, isPassing } from './refusal.ts';
import { type SlurmClient, slurmClient } from './slurm-client.ts';
import { slurmJob } from './slurm-job.ts';

/** How long a file may take to become visible here after it was written there: network file systems cache what they saw. */
const GRACE_MS = 60_000;
/** Pause between two looks for room on a full disk. */
const LOOK_MS = 1_000;
/** Pause between two tries of a job that is one too many. */
const MIN_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 300_000;

export type SlurmOptions = {
  readonly cluster: Cluster;
  /** `cluster.folder` without `~`. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Default: {@link QUEUE_INTERVAL_MS}. */
  readonly queueIntervalMs?: number;
  /** Default: {@link GRACE_MS}. */
  readonly graceMs?: number;
  /** Default: {@link MIN_PAUSE_MS}. */
  readonly pauseMs?: number;
  /** Slurm's limit for a job, in minutes; default: the result of `limitMinutes`. */
  readonly minutes?: (job: RemoteJob) => number;
};

type Submission =
  | { readonly kind: 'submitted'; readonly id: string }
  | { readonly kind: 'refused' | 'put_off'; readonly message: string }
  | { readonly kind: 'stopped'; readonly mayExist: boolean };

/** Trains runs as Slurm jobs. All lanes of a cluster share one instance, and so its queries to Slurm. */
export class SlurmTraining implements RemoteTraining {
  readonly #options: SlurmOptions;
  readonly #client: SlurmClient;
  readonly #queue: SlurmQueue;

  constructor(options: SlurmOptions) {
    this.#options = options;
    this.#client = slurmClient(options.environment);
    this.#queue = new SlurmQueue(this.#client, options.queueIntervalMs ?? QUEUE_INTERVAL_MS);
  }

  get place(): JobPlace {
    return { kind: 'slurm', folder: this.#options.root };
  }

  /** How often Slurm was queried for all jobs. */
  get queueCalls(): number {
    return this.#queue.calls;
  }

  train(job: RemoteJob, watch: RemoteWatch): Promise<RemoteResult> {
    return this.#unlessSilent(job, watch, folder => this.#train(job, folder, watch));
  }

  adopt(job: RemoteJob, watch: RemoteWatch): Promise<RemoteResult | null> {
    return this.#unlessSilent<RemoteResult | null>(job, watch, folder => this.#adopt(job, folder, watch));
  }

  /** The user's stop does not wait for a folder that does not answer. */
  async #unlessSilent<T>(
    { marker }: RemoteJob,
    { signal }: RemoteWatch,
    work: (folder: JobFolder) => Promise<T>,
  ): Promise<T | RemoteResult> {
    const folder = jobFolder(this.#options.root, marker);
    try {
      return await work(folder);
    } catch (error) {
      if (!(error instanceof FolderSilent) || !isStopped(signal)) throw error;
      return notRun(folder, { end: { kind: 'ended' }, asked: 'aborted', isVerified: false });
    }
  }

  async #train(job: RemoteJob, folder: JobFolder, watch: RemoteWatch): Promise<RemoteResult> {
    watch.onState({ kind: 'queued', reason: null });
    const known = await inFolder(() => knownJob(folder), watch.signal);
    const made = known === null ? await this.#submit(job, folder, watch) : submitted(known);
    switch (made.kind) {
      case 'submitted':
        return this.#follow(job, folder, made.id, watch);
      case 'refused':
      case 'put_off':
        // The next try starts from the beginning.
        await this.forget(job, watch.signal);
        return notRun(folder, { end: made, asked: null, isVerified: true });
      case 'stopped':
        return notRun(folder, { end: { kind: 'ended' }, asked: 'aborted', isVerified: !made.mayExist });
    }
  }

  async #adopt(job: RemoteJob, folder: JobFolder, watch: RemoteWatch): Promise<RemoteResult | null> {
    const { signal } = watch;
    if (!(await inFolder(() => stat(folder.path).catch(() => null), signal))) return null;
    watch.onState({ kind: 'queued', reason: null });
    const id = (await inFolder(() => knownJob(folder), signal)) ?? (await this.#findByName(folder, watch));
    if (id !== null) return this.#follow(job, folder, id, watch);
    // A dying process may just have submitted it; the job will then find this file and train nothing.
    await inFolder(() => writeCancel(folder), signal);
    return null;
  }

  async answers(signal: AbortSignal): Promise<boolean> {
    const look = () => readdir(this.#options.root).catch(() => {});
    const isHeard = await inFolder(look, signal, 0).then(
      () => true,
      () => false,
    );
    return isHeard && (await this.#client('sinfo', ['--noheader'], { signal })).kind === 'answer';
  }

  async forget(job: KnownJob, signal: AbortSignal = new AbortController().signal): Promise<void> {
    await inFolder(() => removeFolder(this.#options.root, job), signal, 0);
  }

  async end(job: KnownJob, signal: AbortSignal): Promise<boolean> {
    const folder = jobFolder(this.#options.root, job.marker);
    // If a dying process submits one anyway, it trains nothing.
    await inFolder(() => writeCancel(folder), signal, 0).catch(() => {});
    while (!signal.aborted) {
      const listing = await this.#queue.next(signal).catch(() => null);
      if (listing?.kind !== 'jobs') continue;
      const left = listing.jobs.filter(({ name, state }) => name === folder.name && !isOver(state));
      if (left.length === 0) {
        await this.forget(job, signal);
        return true;
      }
      for (const { id } of left) await this.#client('scancel', [id], { signal });
    }
    return false;
  }

  async #submit(job: RemoteJob, folder: JobFolder, watch: RemoteWatch): Promise<Submission> {
    const { cluster, root, minutes = limitMinutes, pauseMs = MIN_PAUSE_MS } = this.#options;
    const tell = (reason: string) => watch.onState({ kind: 'queued', reason });
    const waits = AbortSignal.any([watch.signal, ...(watch.putOff ? [watch.putOff] : [])]);
    // If the folder did not exist, no job can have been made from it.
    const prepare = () => prepareFolder(root, folder, job).catch(error => faultOfDisk(error, root));
    const mayPass = passingFull();
    let prepared = await inFolder(prepare, watch.signal);
    while (typeof prepared === 'string' && mayPass() && !waits.aborted) {
      tell(prepared);
      await rest(LOOK_MS, waits);
      prepared = await inFolder(prepare, watch.signal);
    }
    if (typeof prepared === 'string') return { kind: 'refused', message: prepared };
    let mayExist = !prepared;
    let why: string | null = null;
    let { avoid = [] } = job;
    for (let pause = pauseMs; ; ) {
      const id = mayExist ? await this.#findByName(folder, watch) : null;
      if (isStopped(watch.signal)) {
        await inFolder(() => writeCancel(folder), watch.signal);
        return { kind: 'stopped', mayExist };
      }
      if (id === null && why !== null && watch.putOff?.aborted) return { kind: 'put_off', message: why };
      const options = sbatchOptions(cluster, folder, minutes(job), avoid);
      const script = batchScript(cluster, folder);
      const answer =
        id === null
          ? await this.#client('sbatch', options, { stdin: script, onSaid: tell, signal: watch.signal })
          : null;
      const made = id ?? (answer?.kind === 'answer' ? /^(\d+)/.exec(answer.text)?.[1] : undefined);
      if (made !== undefined) {
        await inFolder(() => writeSubmitted(folder, made), watch.signal);
        return submitted(made);
      }
      why = answer?.kind === 'answer' ? null : (answer?.message ?? null);
      if (answer?.kind === 'refused' && isPassing(answer.message)) {
        tell(answer.message);
        await rest(pause, waits);
        pause = Math.min(2 * pause, MAX_PAUSE_MS);
        continue;
      }
      if (answer?.kind === 'refused' && avoid.length > 0 && isOfUnknownNode(answer.message)) {
        // One of them has left the cluster.
        avoid = [];
        continue;
      }
      if (answer?.kind !== 'unreachable') {
        const message = answer?.kind === 'refused' ? answer.message : 'sbatch named no job.';
        return { kind: 'refused', message };
      }
      tell(answer.message);
      // Perhaps only the answer was lost, and the job exists.
      mayExist = true;
    }
  }

  /**
   * Waits for Slurm's answer, for as long as it takes. Null also if it was stopped meanwhile; rejects if something
   * else has failed.
   */
  async #findByName({ name }: JobFolder, { signal, onState }: RemoteWatch): Promise<string | null> {
    while (!isStopped(signal)) {
      const listing = await this.#queue.next(signal).catch(error => {
        if (signal.aborted) return null;
        throw error;
      });
      if (listing?.kind === 'jobs') {
        const jobs = listing.jobs.filter(each => each.name === name);
        return (jobs.find(({ state }) => !isOver(state)) ?? jobs[0])?.id ?? null;
      }
      if (listing) onState({ kind: 'queued', reason: listing.message });
    }
    return null;
  }

  async #follow(job: RemoteJob, folder: JobFolder, id: string, watch: RemoteWatch): Promise<RemoteResult> {
    await mkdir(dirname(job.logPath), { recursive: true });
    const { graceMs = GRACE_MS } = this.#options;
    const host = slurmJob(id, folder.name, this.#client, this.#queue);
    // A silent folder is treated like one elsewhere.
    const isHere = await inFolder(() => isOnOwnDisk(folder.path), watch.signal).catch(() => false);
    return followJob({ folder, isHere, id, logPath: job.logPath, watch, graceMs }, host);
  }
}

/** What the user has to do if a full disk caused it; throws any other error. */
function faultOfDisk(error: NodeJS.ErrnoException, root: string): string {
  if (!['ENOSPC', 'EDQUOT', 'disk_full'].includes(error.code ?? '')) throw error;
  return `The disk that holds ${root} is full. Make room there, then resume the study.`;
}

function submitted(id: string): Submission {
  return { kind: 'submitted', id };
}

/** Number of the job made from a folder, as far as it is known without Slurm. */
async function knownJob(folder: JobFolder): Promise<string | null> {
  const known = (await jobNumber(folder, 'claim')) ?? (await jobNumber(folder, 'submitted'));
  if (known !== null) return known;
  const outcome = await outcomeOf(folder);
  return outcome.kind === 'read' ? outcome.value.job : null;
}

function notRun(
  folder: JobFolder,
  known: Pick<Parameters<typeof resultOf>[0], 'end' | 'asked' | 'isVerified'>,
): RemoteResult {
  return resultOf({ folder, job: null, outcome: null, seconds: 0, outputBytes: 0, logError: null, ...known });
}
