import type { Cluster } from '../../../shared/machines/cluster.ts';
import type { JobPlace } from '../../../shared/machines/lanes.ts';
import type { Elsewhere, LanePlace } from '../../lanes/find-lanes.ts';
import type { DataPaths } from '../../paths.ts';
import { clusterFolder } from '../../remote/find-cluster.ts';
import {
  ANSWER_MS,
  type RemoteJob,
  type RemoteResult,
  type RemoteTraining,
} from '../../remote/remote-training.ts';
import { SlurmTraining } from '../../remote/slurm/slurm-training.ts';
import { SshClient } from '../../remote/ssh/ssh-client.ts';
import { SshTraining } from '../../remote/ssh/ssh-training.ts';
import type { Ledger } from '../../store/ledger.ts';
import { hostFolder } from '../jobs/end-jobs.ts';

type Remotes = {
  /** Trains the runs of a lane on another machine; null for a lane on this machine. */
  readonly of: (place: LanePlace) => RemoteTraining | null;
  /** Where jobs of this sitting are made. */
  readonly places: readonly JobPlace[];
  /** Releases what was opened; jobs continue. Returns places that do not answer. */
  readonly close: () => Promise<readonly JobPlace[]>;
};

/** @param elsewhere the other machines that lanes are on, or may be on later */
export async function openRemotes(
  elsewhere: readonly Elsewhere[],
  ports: {
    readonly ledger: Ledger;
    readonly cluster: Cluster | null;
    readonly paths: DataPaths;
    readonly environment: NodeJS.ProcessEnv;
  },
): Promise<Remotes> {
  const { ledger, cluster, paths, environment } = ports;
  const slurm =
    cluster && elsewhere.some(({ kind }) => kind === 'slurm')
      ? new SlurmTraining({ cluster, root: clusterFolder(cluster, environment), environment })
      : null;
  const hosts = new Set(elsewhere.flatMap(other => (other.kind === 'ssh' ? [other.host] : [])));
  const clients = await Promise.all([...hosts].map(host => SshClient.open(host)));
  const overSsh = new Map(
    clients.map(client => [client.host, new SshTraining({ client, root: hostFolder(paths, client.host) })]),
  );
  const opened: TidyTraining[] = [];
  return {
    places: [...(slurm ? [slurm] : []), ...overSsh.values()].map(({ place }) => place),
    of: ({ elsewhere: where }) => {
      const training = where?.kind === 'ssh' ? overSsh.get(where.host) : where && slurm;
      if (!training) return null;
      const tidy = new TidyTraining(training, ledger);
      opened.push(tidy);
      return tidy;
    },
    close: async () => {
      const heard = await Promise.all(opened.map(training => training.close()));
      await Promise.all(clients.map(client => client.close()));
      return opened.filter((_, at) => !heard[at]).map(({ place }) => place);
    },
  };
}

/** Removes the files of a lane's run there when the lane starts another: by then its result is in the ledger. */
class TidyTraining implements RemoteTraining {
  readonly #training: RemoteTraining;
  readonly #ledger: Ledger;
  readonly #ended: RemoteJob[] = [];
  #tidied: Promise<void> = Promise.resolve();
  /** Runs whose files are still there. */
  #untidy = 0;
  /** Whether the machine did not answer when it was last asked to end a run. */
  #isSilent = false;
  readonly #abandoned = new AbortController();

  constructor(training: RemoteTraining, ledger: Ledger) {
    this.#training = training;
    this.#ledger = ledger;
  }

  get place(): JobPlace {
    return this.#training.place;
  }

  readonly train: RemoteTraining['train'] = async (job, watch) => {
    void this.tidy();
    const result = await this.#training.train(job, watch);
    this.#note(job, result);
    return result;
  };

  readonly adopt: RemoteTraining['adopt'] = async (job, watch) => {
    void this.tidy();
    const result = await this.#training.adopt(job, watch);
    if (result) this.#note(job, result);
    return result;
  };

  #note(job: RemoteJob, { isVerified }: RemoteResult): void {
    // A job that may still run is looked for again.
    this.#isSilent = !isVerified;
    if (!isVerified) return;
    this.#ended.push(job);
    this.#untidy += 1;
    this.#ledger.write(() => this.#ledger.jobs.setEnded(job.marker));
  }

  readonly answers: RemoteTraining['answers'] = signal => this.#training.answers(signal);

  readonly forget: RemoteTraining['forget'] = async (job, signal) => {
    await this.#training.forget(job, signal);
    this.#ledger.write(() => this.#ledger.jobs.remove(job.marker));
  };

  readonly end: RemoteTraining['end'] = (job, signal) => this.#training.end(job, signal);

  /** Files that cannot be removed now are tried again at the end of the sitting. */
  tidy(): Promise<void> {
    const ended = this.#ended.splice(0);
    this.#tidied = this.#tidied.then(async () => {
      for (const job of ended) {
        await this.forget(job, this.#abandoned.signal).catch(() => {});
        this.#untidy -= 1;
      }
    });
    return this.#tidied;
  }

  /** Tidies up, unless the machine does not answer; returns whether it does, as far as that is known. */
  async close(): Promise<boolean> {
    const isIdle = this.#untidy === 0;
    const isHeard = !this.#isSilent && (isIdle || (await this.answers(AbortSignal.timeout(ANSWER_MS))));
    if (!isHeard) this.#abandoned.abort();
    await this.tidy();
    return isHeard;
  }
}
