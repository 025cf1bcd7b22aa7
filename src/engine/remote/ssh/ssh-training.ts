import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PawlError } from '../../../shared/errors.ts';
import type { JobPlace } from '../../../shared/machines/lanes.ts';
import { followJob, type JobHost } from '../follow-job.ts';
import { isStopped } from '../is-stopped.ts';
import { COMPILED, type JobFolder, jobFolder, makeFolder } from '../job-folder.ts';
import {
  ANSWER_MS,
  commandsOf,
  type KnownJob,
  type RemoteJob,
  type RemoteResult,
  type RemoteTraining,
  type RemoteWatch,
} from '../remote-training.ts';
import { passingFull, rest } from '../rest.ts';
import { resultOf } from '../result.ts';
import { pushCommit, refOf, sharedRepository } from '../share-commit.ts';
import { HOST_GONE, homePath, mirror } from './mirror.ts';
import type { SshAnswer, SshClient } from './ssh-client.ts';

/** Pawl's folder on a host, below its home. */
export const HOST_FOLDER = '.cache/pawl';
const GRACE_MS = 10_000;
/** A host that cannot be reached for this long plus the run's time limit is given up. */
const GONE_GRACE_SECONDS = 600;
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export type SshOptions = {
  readonly client: SshClient;
  /** A folder on this machine for the files of this host's runs. */
  readonly root: string;
  /** Default: the run's time limit plus {@link GONE_GRACE_SECONDS}. */
  readonly goneMs?: number;
};

/** Trains runs on a host that ssh reaches. They are detached there: a lost connection does not end one. */
export class SshTraining implements RemoteTraining {
  readonly #options: SshOptions;

  constructor(options: SshOptions) {
    this.#options = options;
  }

  get place(): JobPlace {
    return { kind: 'ssh', host: this.#options.client.host };
  }

  async train(job: RemoteJob, watch: RemoteWatch): Promise<RemoteResult> {
    const folder = jobFolder(this.#options.root, job.marker);
    watch.onState({ kind: 'queued', reason: null });
    await makeFolder(this.#options.root, folder, job, `~/${repositoryOf(job)}`);
    let isThere = false;
    const mayPass = passingFull();
    for (let pause = MIN_PAUSE_MS; !isStopped(watch.signal); pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      const made = await this.#makePlace(job, folder, watch.signal);
      isThere ||= made.kind === 'ended';
      const isMade = made.kind === 'ended' && made.code === 0;
      const started = isMade ? await this.#start(job, folder, watch.signal) : made;
      if (started.kind === 'ended' && started.code === 0) return this.#follow(job, folder, watch);
      const message = started.kind === 'ended' ? started.stderr : started.message;
      const isFull = /no space left|disk quota exceeded/i.test(message);
      if (started.kind === 'ended' && !(isFull && mayPass())) return refused(folder, message);
      watch.onState({ kind: 'queued', reason: message });
      await rest(pause, watch.signal);
    }
    if (!isThere) {
      await removeHere(folder);
      return resultOf({ ...nothing(folder), asked: 'aborted' });
    }
    // It may have been started although the answer was lost.
    const isVerified = await this.#cancel(folder);
    return resultOf({ ...nothing(folder), asked: 'aborted', isVerified });
  }

  async adopt(job: RemoteJob, watch: RemoteWatch): Promise<RemoteResult | null> {
    const folder = jobFolder(this.#options.root, job.marker);
    if (!(await stat(folder.path).catch(() => null))) return null;
    for (let pause = MIN_PAUSE_MS; !isStopped(watch.signal); pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      // A job that was asked to end before it began trains nothing, even if it begins after all.
      const place = placeOf(folder);
      const asked = await this.#run(
        `test -e ${place}/claim || { mkdir -p ${place} && : >${place}/cancel; false; }`,
        '',
        watch.signal,
      );
      if (asked.kind === 'ended') return asked.code === 0 ? this.#follow(job, folder, watch) : null;
      watch.onState({ kind: 'queued', reason: asked.message });
      await rest(pause, watch.signal);
    }
    return resultOf({ ...nothing(folder), asked: 'aborted', isVerified: false });
  }

  async answers(signal: AbortSignal): Promise<boolean> {
    return (await this.#run(':', '', signal)).kind === 'ended';
  }

  async forget(job: KnownJob, signal?: AbortSignal): Promise<void> {
    const { path } = jobFolder(this.#options.root, job.marker);
    // It is removed last: without it, nothing is left there.
    if (await stat(path).catch(() => null)) await this.#remove(job, signal);
  }

  async #remove(job: KnownJob, signal?: AbortSignal): Promise<void> {
    const folder = jobFolder(this.#options.root, job.marker);
    const bare = homePath(repositoryOf(job));
    const answer = await this.#run(
      // A job that ended before the commit was pushed has no repository there.
      `rm -rf ${placeOf(folder)} || exit 1; [ ! -d ${bare} ] || git --git-dir ${bare} update-ref -d ${refOf(folder.name)}`,
      '',
      signal,
    );
    if (answer.kind === 'unreachable') throw new Error(answer.message);
    if (answer.code !== 0)
      throw new Error(
        `The files of a run could not be removed from ${this.#options.client.host}. ${answer.stderr}`,
      );
    await removeHere(folder);
  }

  async end(job: KnownJob, signal: AbortSignal): Promise<boolean> {
    const place = placeOf(jobFolder(this.#options.root, job.marker));
    for (let pause = MIN_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      const asked = await this.#run(
        `cd ${place} 2>/dev/null || exit 0; : >cancel; pid=$(sed 's/.*://' claim 2>/dev/null)
         [ -z "$pid" ] || ! grep -q pawl_run.py /proc/"$pid"/cmdline 2>/dev/null`,
        '',
        signal,
      );
      if (asked.kind === 'ended' && asked.code === 0) {
        await this.#remove(job, signal);
        return true;
      }
      await rest(pause, signal);
    }
    return false;
  }

  /** Asks a run to end; returns whether the host has heard it. */
  async #cancel(folder: JobFolder): Promise<boolean> {
    const asked = await this.#run(`: >${placeOf(folder)}/cancel`, '', AbortSignal.timeout(ANSWER_MS));
    return asked.kind === 'ended';
  }

  #run(line: string, stdin?: Readable | string, signal?: AbortSignal): Promise<SshAnswer> {
    return this.#options.client.run(line, stdin, signal);
  }

  /** Makes the run's folder on the host, and a repository for its commit. */
  #makePlace(job: RemoteJob, folder: JobFolder, signal: AbortSignal): Promise<SshAnswer> {
    const bare = repositoryOf(job);
    const form = job.commit.length === 64 ? 'sha256' : 'sha1';
    return this.#run(
      // Several lanes may make the repository at once: it is there completely or not at all.
      `umask 077; made=${homePath(bare)}.$$
       mkdir -p ${placeOf(folder)} ${homePath(dirname(bare))} || exit 1
       [ -d ${homePath(bare)} ] && exit
       git init --quiet --bare --template= --object-format=${form} "$made" &&
         mv -T "$made" ${homePath(bare)} 2>/dev/null
       rm -rf "$made"; [ -d ${homePath(bare)} ]`,
      '',
      signal,
    );
  }

  /** Copies commit and wrapper to the host, and starts it there. A run that has begun is not started again. */
  async #start(job: RemoteJob, folder: JobFolder, signal: AbortSignal): Promise<SshAnswer> {
    const { client } = this.#options;
    const bare = repositoryOf(job);
    try {
      const { commandLine: ssh } = client;
      await pushCommit(job.repository, `${client.host}:~/${bare}`, {
        commit: job.commit,
        name: folder.name,
        ssh,
        signal,
      });
    } catch (error) {
      if (signal.aborted) return { kind: 'unreachable', message: 'It was stopped.' };
      if (!(error instanceof PawlError)) throw error;
      const isFull = error.code === 'disk_full';
      return { kind: 'unreachable', message: isFull ? `The disk of ${client.host} is full.` : error.message };
    }
    const isSent = (name: string) => name === COMPILED || /^job\.json$|\.(?:py|bpf)$/.test(name);
    const names = (await readdir(folder.path)).filter(isSent);
    const archive = spawn('tar', ['-C', folder.path, '-cf', '-', ...names], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // A login shell finds programs on the PATH of the user's own profile.
    const start = 'exec setsid python3 ./pawl_run.py . </dev/null >>job.out 2>&1';
    return this.#run(
      `umask 077; cd ${placeOf(folder)} && tar -xf - && { bash -lc '${start}' </dev/null >/dev/null 2>&1 & }`,
      archive.stdout,
      signal,
    );
  }

  async #follow(job: RemoteJob, folder: JobFolder, watch: RemoteWatch): Promise<RemoteResult> {
    await mkdir(dirname(job.logPath), { recursive: true });
    const id = `${this.#options.client.host}:${folder.name}`;
    const place = placeOf(folder);
    const seconds = commandsOf(job).reduce((sum, command) => sum + command.seconds, GONE_GRACE_SECONDS);
    const { client, goneMs = seconds * 1000 } = this.#options;
    const host: JobHost = {
      subscribe: listener =>
        mirror({
          client,
          folder,
          place,
          goneMs,
          listener,
          fetchRest: ended => this.#fetchRest(folder, ended),
        }),
      cancel: () => this.#cancel(folder),
      explain: async (state, said) =>
        state === HOST_GONE
          ? {
              kind: 'host_gone',
              message: `${client.host} was out of reach for longer than the run may take.`,
            }
          : { kind: 'lost', message: `The run ended on ${client.host} without an outcome. ${said}`.trim() },
    };
    return followJob({ folder, isHere: true, id, logPath: job.logPath, watch, graceMs: GRACE_MS }, host);
  }

  /** Fetches the files of the run other than its log. */
  async #fetchRest(folder: JobFolder, signal: AbortSignal): Promise<boolean> {
    const files = '$(ls -d job.out metric.log check-*.log setup.log gpu.csv artifacts 2>/dev/null)';
    const packed = this.#options.client.start(`cd ${placeOf(folder)} && tar -cf - ${files}`);
    // tar rejects paths that lead out of the folder.
    const options = ['--no-same-owner', '--no-same-permissions', '-xf', '-'];
    const unpacked = spawn('tar', ['-C', folder.path, ...options], { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = Promise.all([once(packed, 'close'), once(unpacked, 'close')]);
    const stop = () => packed.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    if (packed.stdout) await pipeline(packed.stdout, unpacked.stdin).catch(() => {});
    const [[code], [left]] = await ended;
    signal.removeEventListener('abort', stop);
    return code === 0 && left === 0;
  }
}

function placeOf({ name }: JobFolder): string {
  return homePath(`${HOST_FOLDER}/jobs/${name}`);
}

function repositoryOf(job: Pick<KnownJob, 'repository'>): string {
  return sharedRepository(HOST_FOLDER, job.repository);
}

function removeHere({ path }: JobFolder): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5 });
}

function nothing(folder: JobFolder) {
  return {
    ...{ folder, job: null, outcome: null, asked: null, end: { kind: 'ended' as const } },
    ...{ seconds: 0, outputBytes: 0, logError: null, isVerified: true },
  };
}

function refused(folder: JobFolder, said: string): RemoteResult {
  return resultOf({
    ...nothing(folder),
    end: { kind: 'refused', message: said || 'The host refused the run.' },
  });
}
