import type { JobPlace } from '../../shared/lanes.ts';
import type { Study } from '../../shared/study.ts';
import type { Tell } from '../stages/tell.ts';
import type { Job } from '../store/jobs.ts';
import { END_JOBS_MS, endJobs } from './end-jobs.ts';

type Ports = Parameters<typeof endJobs>[1] & Pick<Tell, 'emit'>;

/**
 * Jobs on other machines that an earlier sitting left and this one does not continue: they are ended, or reported to
 * the user.
 */
export class LeftJobs {
  readonly #study: Study;
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  readonly #beginning: Promise<void>;

  /** @param places where this sitting makes jobs; it takes results only there */
  constructor(study: Study, places: readonly JobPlace[], ports: Ports) {
    this.#study = study;
    this.#ports = ports;
    const { jobs } = ports.ledger;
    const known = new Set(places.map(place => JSON.stringify(place)));
    const elsewhere = jobs.list(study.id).filter(({ place }) => !known.has(JSON.stringify(place)));
    const left = new Map([...elsewhere, ...jobs.settled(study.id)].map(job => [job.marker, job]));
    const limit = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(END_JOBS_MS)]);
    // The sitting need not wait for that.
    this.#beginning = this.#end([...left.values()], limit, () => !this.#closed.signal.aborted);
  }

  /** @param isInOrder whether to end the remaining jobs, rather than leave them for the next sitting */
  async close(isInOrder: boolean): Promise<void> {
    this.#closed.abort();
    await this.#beginning;
    if (isInOrder)
      await this.#end(this.#ports.ledger.jobs.list(this.#study.id), AbortSignal.timeout(END_JOBS_MS));
  }

  async #end(jobs: readonly Job[], signal: AbortSignal, isTold = () => true): Promise<void> {
    const left = await endJobs(jobs, this.#ports, signal).catch(error => [(error as Error).message]);
    if (!isTold()) return;
    for (const message of left) this.#ports.emit({ type: 'warning', code: 'jobs', message });
  }
}
