import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { join } from 'node:path';
import { OutputLog } from '../process/output-log.ts';
import { LogFollower } from './follow-log.ts';
import { isStopped } from './is-stopped.ts';
import { type JobFolder, outcomeOf, saidBy, stateOf, writeCancel } from './job-folder.ts';
import type { Read, RemoteOutcome, RemoteState } from './outcome.ts';
import {
  ANSWER_MS,
  type RemoteEnd,
  type RemotePhase,
  type RemoteResult,
  type RemoteWatch,
} from './remote-training.ts';
import { type Asked, endedFromOutside, PUT_BACK, resultOf } from './result.ts';
import { FolderSilent, inFolder } from './shared-folder.ts';

/** Pause between two looks at the log: short after new output, longer when there was none. */
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 1_000;
/** Pause between two looks for the outcome. */
const LOOK_MS = 1_000;
/**
 * A job that was asked to end and has not is asked again after this time; sooner if the user waits, because its machine may have
 * fallen silent.
 */
const ASK_AGAIN_MS = 20_000;
const ASK_SOON_MS = 5_000;
/** A job that has not ended is given up after this time. */
const GIVE_UP_MS = 80_000;
/** How many reports of a job's standing to wait for the reason why it was told to end. */
const MAX_STANDINGS = 12;

export type Followed = {
  readonly folder: JobFolder;
  /** Whether the folder is on a disk of this machine. Then changes are seen at once. */
  readonly isHere: boolean;
  /** The job's name at its scheduler or host. */
  readonly id: string;
  readonly logPath: string;
  readonly watch: RemoteWatch;
  /** How long the outcome may take to become visible once the job is reported over. */
  readonly graceMs: number;
};

/** A job's standing according to its scheduler or host. */
export type Standing =
  | { readonly kind: 'waiting'; readonly reason: string | null }
  | { readonly kind: 'active' }
  /** It will not run any more; `state` is a word of its scheduler or host, null if unknown there. */
  | { readonly kind: 'over'; readonly state: string | null }
  | { readonly kind: 'unreachable'; readonly message: string };

/** One job, as it can be reached on its host. */
export type JobHost = {
  /** Reports the job's standing from time to time. Returns a function that ends the subscription. */
  readonly subscribe: (listener: (standing: Standing) => void) => () => void;
  /** Asks it to end; resolves soon, and to whether it will hear of it. */
  readonly cancel: () => Promise<boolean>;
  /** Why it ended without an explanation of its own; `said` is its script's output. */
  readonly explain: (state: string | null, said: string) => Promise<RemoteEnd>;
};

/** Follows one job to its end, however long it waits, and whether or not its host answers. */
export async function followJob(job: Followed, host: JobHost): Promise<RemoteResult> {
  const follower = new JobFollower(job, host);
  return follower.run();
}

class JobFollower {
  readonly #job: Followed;
  readonly #host: JobHost;
  #asked: Asked | null = null;
  /** When it was first asked to end, and when last. */
  #askedSince: number | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** The user's stop does not wait for a machine that does not answer. */
  #isStopping = false;
  #isGivenUp = false;
  /** From the latest report: since when the job is over, and the state it ended in. */
  #overSince: number | null = null;
  #state: string | null = null;
  #isWaiting = false;
  #standings = 0;
  #phase: RemotePhase = { kind: 'queued', reason: null };
  /** What another run on its machine has; null if it does not wait for that. */
  #waitsFor: string | null = null;
  /** What it waited for when it was put off; null if it was not. */
  #putOffFor: string | null = null;
  #runningSince: number | null = null;
  #isWoken = false;
  #endRest = () => {};

  constructor(job: Followed, host: JobHost) {
    this.#job = job;
    this.#host = host;
  }

  async run(): Promise<RemoteResult> {
    const { folder, isHere, logPath, watch } = this.#job;
    let isFull = false;
    const log = await OutputLog.create(
      logPath,
      () => {
        isFull = true;
      },
      () => {
        isFull = false;
      },
    );
    const ended = new AbortController();
    const follower = new LogFollower(join(folder.path, 'output.log'), chunk => {
      // The answer of a folder that nobody waits for any more.
      if (ended.signal.aborted) return;
      log.write(chunk);
      if (log.error === null) watch.onOutput(chunk);
    });
    const unsubscribe = this.#host.subscribe(standing => this.#hear(standing));
    const hints = watchChanges(isHere ? folder.path : null, () => this.#wake());
    for (const signal of [watch.signal, watch.enough, watch.putOff])
      signal?.addEventListener('abort', () => this.#wake(), { signal: ended.signal });
    let outcome: Read<RemoteOutcome> = { kind: 'missing' };
    try {
      for (let pause = MIN_PAUSE_MS, lookedAt = Number.NEGATIVE_INFINITY; ; ) {
        const found = isFull ? 0 : await this.#ask(() => follower.read());
        pause = found > 0 ? MIN_PAUSE_MS : Math.min(2 * pause, MAX_PAUSE_MS);
        if (performance.now() - lookedAt >= LOOK_MS || hints.take()) {
          lookedAt = performance.now();
          outcome = await this.#look();
          if (outcome.kind !== 'missing') break;
        }
        await this.#stopIfAsked(log.error !== null);
        if (this.#isGone()) break;
        if (this.#isGivenUp) break;
        await this.#rest(pause);
      }
      if (outcome.kind === 'read') await this.#readRest(follower, outcome.value.output_bytes, () => isFull);
      else await this.#ask(() => follower.read());
      const end = await this.#endOf(outcome);
      const isVerified = !this.#isGivenUp && end.kind !== 'host_gone';
      return this.#result(outcome, end, follower.bytes, log.error, isVerified);
    } catch (error) {
      if (!(error instanceof FolderSilent) || !isStopped(watch.signal)) throw error;
      this.#asked ??= 'aborted';
      await this.#host.cancel();
      return this.#result({ kind: 'missing' }, { kind: 'ended' }, follower.bytes, log.error, false);
    } finally {
      ended.abort();
      unsubscribe();
      hints.close();
      await log.close();
    }
  }

  /** What its folder answers, for which the user's stop does not wait. */
  #ask<T>(work: () => Promise<T>): Promise<T> {
    return inFolder(work, this.#job.watch.signal);
  }

  /** The outcome. Until the job is known to train, also its standing. */
  async #look(): Promise<Read<RemoteOutcome>> {
    const { folder } = this.#job;
    const outcome = await this.#ask(() => outcomeOf(folder));
    if (this.#runningSince === null) {
      // Read after the outcome: then it shows how far the run got.
      const state = await this.#ask(() => stateOf(folder));
      if (state.kind === 'read') this.#tellState(state.value);
    }
    return outcome;
  }

  #tellState({ node, gpus, setting_up: isSettingUp, waits_for: device }: RemoteState): void {
    this.#waitsFor = device === undefined ? null : `Another run on ${node} has ${device}.`;
    if (this.#waitsFor !== null) {
      this.#tell({ kind: 'queued', reason: this.#waitsFor });
      return;
    }
    if (!isSettingUp) this.#runningSince = performance.now();
    const running = { kind: 'running', node, gpu: gpus[0]?.name ?? null } as const;
    this.#tell(isSettingUp ? { kind: 'setting_up', node } : running);
  }

  #hear(standing: Standing): void {
    this.#standings += 1;
    this.#isWaiting = standing.kind === 'waiting';
    switch (standing.kind) {
      case 'unreachable':
        if (this.#runningSince === null) this.#tell({ kind: 'queued', reason: standing.message });
        break;
      case 'waiting':
        this.#overSince = null;
        this.#tell({ kind: 'queued', reason: standing.reason });
        break;
      case 'active':
        this.#overSince = null;
        break;
      case 'over':
        this.#overSince ??= performance.now();
        this.#state = standing.state;
        break;
    }
    this.#wake();
  }

  #tell(phase: RemotePhase): void {
    if (JSON.stringify(phase) === JSON.stringify(this.#phase)) return;
    this.#phase = phase;
    this.#job.watch.onState(phase);
  }

  async #stopIfAsked(isLogBroken: boolean): Promise<void> {
    const { signal, enough, putOff } = this.#job.watch;
    const isToEnd = isStopped(signal);
    if (this.#asked === null) {
      if (isToEnd || isLogBroken) this.#asked = 'aborted';
      else if (enough?.aborted) this.#asked = enough.reason === 'over_budget' ? 'over_budget' : 'pruned';
      else if (putOff?.aborted && this.#waitsFor !== null) {
        this.#asked = 'aborted';
        this.#putOffFor = this.#waitsFor;
      }
    }
    if (this.#asked === null) return;
    const isNew = isToEnd && !this.#isStopping;
    const now = performance.now();
    if (!isNew && now - this.#askedAt < (isToEnd ? ASK_SOON_MS : ASK_AGAIN_MS)) return;
    this.#isStopping = isToEnd;
    this.#askedSince ??= now;
    this.#askedAt = now;
    // The wrapper polls for this file, so that it ends even if nothing else answers.
    await this.#ask(() => writeCancel(this.#job.folder));
    const isHeard = await this.#host.cancel();
    this.#isGivenUp = now - this.#askedSince >= GIVE_UP_MS || (isToEnd && !isHeard);
  }

  /** Whether it is reported over and the outcome has had time to become visible. */
  #isGone(): boolean {
    if (this.#overSince === null) return false;
    const isNeverBegun = this.#asked !== null && this.#runningSince === null;
    return isNeverBegun || performance.now() - this.#overSince >= this.#graceMs();
  }

  /** How long what was written there may take to become visible; the user's stop does not wait as long. */
  #graceMs(): number {
    const { graceMs, watch } = this.#job;
    return isStopped(watch.signal) ? Math.min(ANSWER_MS, graceMs) : graceMs;
  }

  /** Waits a moment, or until something happens. */
  async #rest(ms: number): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms);
        this.#endRest = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isWoken = false;
  }

  #wake(): void {
    this.#isWoken = true;
    this.#endRest();
  }

  /** The bytes that the wrapper reports as written may become visible here only later. */
  async #readRest(follower: LogFollower, bytes: number, isFull: () => boolean): Promise<void> {
    const since = performance.now();
    while (follower.bytes < bytes && performance.now() - since < this.#graceMs()) {
      if (isFull() || (await this.#ask(() => follower.read())) === 0) await this.#rest(MIN_PAUSE_MS);
    }
  }

  async #endOf(outcome: Read<RemoteOutcome>): Promise<RemoteEnd> {
    if (this.#putOffFor !== null) return { kind: 'put_off', message: this.#putOffFor };
    if (outcome.kind === 'invalid') return { kind: 'lost', message: outcome.message };
    if (outcome.kind === 'read' && (this.#asked !== null || !endedFromOutside(outcome.value)))
      return { kind: 'ended' };
    // Once it is over, its scheduler or host knows who told it to end.
    const enough = this.#standings + MAX_STANDINGS;
    this.#isWaiting = false;
    while (this.#asked === null && this.#overSince === null && this.#standings < enough) {
      if (this.#job.watch.signal.aborted || this.#isWaiting) break;
      await this.#rest(MAX_PAUSE_MS);
    }
    if (this.#isWaiting) {
      // It waits for another start, in which it would train nothing.
      await this.#host.cancel();
      return { kind: 'requeued', message: PUT_BACK };
    }
    return this.#host.explain(this.#state, await this.#ask(() => saidBy(this.#job.folder)));
  }

  #result(
    outcome: Read<RemoteOutcome>,
    end: RemoteEnd,
    outputBytes: number,
    logError: NodeJS.ErrnoException | null,
    isVerified: boolean,
  ): RemoteResult {
    const since = this.#runningSince;
    return resultOf({
      ...{ folder: this.#job.folder, job: this.#job.id, asked: this.#asked, end },
      outcome: outcome.kind === 'read' ? outcome.value : null,
      seconds: since === null ? 0 : (performance.now() - since) / 1000,
      ...{ outputBytes, logError, isVerified },
    });
  }
}

/** Reports changes in a folder, null for none. While a network file system is silent, the call itself would stop the engine. */
function watchChanges(folder: string | null, onChange: () => void): { take(): boolean; close(): void } {
  let hasChanged = false;
  let watcher: FSWatcher | null = null;
  try {
    if (folder !== null)
      watcher = watchFolder(folder, (_, name) => {
        // The log is polled often enough.
        if (name !== 'outcome.json' && name !== 'state.json') return;
        hasChanged = true;
        onChange();
      });
    watcher?.on('error', () => watcher?.close());
  } catch {
    // There are too many watchers on this machine.
  }
  return {
    take() {
      const had = hasChanged;
      hasChanged = false;
      return had;
    },
    close: () => watcher?.close(),
  };
}
