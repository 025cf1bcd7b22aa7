import { END_JOBS_MS, type EndPorts, endJobs } from './end-jobs.ts';
import { endRemovedJobs } from './removed-jobs.ts';

type Ports = EndPorts & {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For the next sitting to tell. */
  readonly note: (message: string) => void;
  /** For the user to hear now, where a sitting runs. */
  readonly tell: (message: string) => void;
};

/** Ends what studies that do not run have left on other machines, and leaves alone what a sitting takes. */
export class JobEndings {
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  readonly #endings = new Set<{
    readonly studyId: string;
    readonly leave: () => void;
    readonly ended: Promise<unknown>;
  }>();
  /** Id of the study of the sitting that runs, or is about to. */
  #sits: string | null = null;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Nothing more is asked of other machines. */
  close(): void {
    this.#closed.abort();
  }

  /** Jobs of deleted studies. A machine may be out of reach, so that nobody waits for this; what it comes to is told. */
  async endRemoved(): Promise<void> {
    const { now, tell } = this.#ports;
    const limit = AbortSignal.timeout(END_JOBS_MS);
    const told = await endRemovedJobs(this.#ports, now(), this.#closed.signal, limit).catch(asMessages);
    if (this.#closed.signal.aborted) return;
    for (const message of told) tell(message);
  }

  /** Jobs of a study that is deleted now. Returns what may go on there. */
  async endDeleted(studyId: string): Promise<readonly string[]> {
    const limit = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(END_JOBS_MS)]);
    const jobs = this.#ports.ledger.jobs.list(studyId);
    return endJobs(jobs, this.#ports, limit, 'a deleted study').catch(asMessages);
  }

  /**
   * Ends what a study that does not run has left on other machines, unless a sitting of it begins: that takes the results.
   * Returns what may go on there; the next sitting tells it, too.
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

  /** A sitting of the study begins. Resolves once nobody ends its jobs any more. */
  async leaveTo(studyId: string): Promise<void> {
    this.#sits = studyId;
    const endings = [...this.#endings].filter(ending => ending.studyId === studyId);
    for (const { leave } of endings) leave();
    await Promise.allSettled(endings.map(({ ended }) => ended));
  }

  /** The sitting has ended. */
  letGo(): void {
    this.#sits = null;
  }
}

function asMessages(error: unknown): readonly string[] {
  return [(error as Error).message];
}
