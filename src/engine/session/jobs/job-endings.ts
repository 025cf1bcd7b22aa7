import { END_JOBS_MS, type EndPorts, endJobs } from './end-jobs.ts';
import { endRemovedJobs } from './removed-jobs.ts';

type Ports = EndPorts & {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For the next sitting to report. */
  readonly note: (message: string) => void;
  /** Shown to the user now, if a sitting runs. */
  readonly tell: (message: string) => void;
};

/** Ends jobs that studies without a sitting have left on other machines; jobs that a sitting takes over are left alone. */
export class JobEndings {
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  readonly #endings = new Set<{
    readonly studyId: string;
    readonly leave: () => void;
    readonly ended: Promise<unknown>;
  }>();
  /** Id of the study whose sitting runs, or is about to. */
  #sits: string | null = null;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Sends no further requests to other machines. */
  close(): void {
    this.#closed.abort();
  }

  /** Ends the jobs of deleted studies. A machine may be unreachable, so nobody waits for this; the result is reported. */
  async endRemoved(): Promise<void> {
    const { now, tell } = this.#ports;
    const limit = AbortSignal.timeout(END_JOBS_MS);
    const told = await endRemovedJobs(this.#ports, now(), this.#closed.signal, limit).catch(asMessages);
    if (this.#closed.signal.aborted) return;
    for (const message of told) tell(message);
  }

  /** Ends the jobs of a study that is being deleted, which the user waits for. Returns those that may still run. */
  async endDeleted(studyId: string): Promise<readonly string[]> {
    const limit = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(END_JOBS_MS)]);
    const jobs = this.#ports.ledger.jobs.list(studyId);
    const how = { whose: 'a deleted study', isWaitedFor: true };
    return endJobs(jobs, this.#ports, limit, how).catch(asMessages);
  }

  /** Ends the jobs that a sitting has left on machines that did not answer, as soon as they do. */
  endWhenHeard(studyId: string): void {
    void this.end(studyId, this.#closed.signal).catch(() => {});
  }

  /**
   * Ends the jobs that a study without a sitting has left on other machines, unless a sitting of it begins, which
   * takes their results. Returns those that may still run; the next sitting reports them, too.
   */
  async end(studyId: string, limit = AbortSignal.timeout(END_JOBS_MS)): Promise<readonly string[]> {
    if (this.#sits === studyId) return [];
    const left = new AbortController();
    const signal = AbortSignal.any([limit, left.signal, this.#closed.signal]);
    const ended = endJobs(this.#ports.ledger.jobs.list(studyId), this.#ports, signal);
    const ending = { studyId, leave: () => left.abort(), ended };
    this.#endings.add(ending);
    const messages = await ended.finally(() => this.#endings.delete(ending));
    if (left.signal.aborted) return [];
    for (const message of messages) this.#ports.note(message);
    return messages;
  }

  /** Call when a sitting of the study begins. Resolves once its jobs are no longer being ended. */
  async leaveTo(studyId: string): Promise<void> {
    this.#sits = studyId;
    const endings = [...this.#endings].filter(ending => ending.studyId === studyId);
    for (const { leave } of endings) leave();
    await Promise.allSettled(endings.map(({ ended }) => ended));
  }

  /** Call when the sitting has ended. */
  letGo(): void {
    this.#sits = null;
  }
}

function asMessages(error: unknown): readonly string[] {
  return [(error as Error).message];
}
