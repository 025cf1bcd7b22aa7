import type { JobPlace } from '../../../shared/machines/lanes.ts';
import type { Study } from '../../../shared/study.ts';
import type { Tell } from '../../stages/tell.ts';
import type { Job } from '../../store/jobs.ts';
import { END_JOBS_MS, endJobs, type HowToEnd, keyOf } from './end-jobs.ts';

type Ports = Parameters<typeof endJobs>[1] & Pick<Tell, 'emit'>;

/**
 * Jobs on other machines that an earlier sitting left and this one does not continue: they are ended, or reported to
 * the user.
 */
export class LeftJobs {
  readonly #study: Study;
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  readonly #endings: Promise<void>[] = [];

  /** @param places where this sitting makes jobs; it takes results only there */
  constructor(study: Study, places: readonly JobPlace[], ports: Ports) {
    this.#study = study;
    this.#ports = ports;
    const { jobs } = ports.ledger;
    const known = new Set(places.map(keyOf));
    const elsewhere = jobs.list(study.id).filter(({ place }) => !known.has(keyOf(place)));
    const left = new Map([...elsewhere, ...jobs.settled(study.id)].map(job => [job.marker, job]));
    this.#endMeanwhile([...left.values()]);
  }

  /** Ends what a host that was out of reach still has, unless a lane may take it. Call it before the host's lanes are used. */
  hostJoined(host: string): void {
    const { jobs } = this.#ports.ledger;
    const useless = [...jobs.settled(this.#study.id), ...jobs.superseded(this.#study.id)];
    this.#endMeanwhile(useless.filter(({ place }) => place.kind === 'ssh' && place.host === host));
  }

  /** The sitting need not wait for that. */
  #endMeanwhile(jobs: readonly Job[]): void {
    const limit = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(END_JOBS_MS)]);
    this.#endings.push(this.#end(jobs, limit, {}, () => !this.#closed.signal.aborted));
  }

  /**
   * @param isInOrder whether to end the remaining jobs, rather than leave them for the next sitting
   * @param silent places that have not answered just now
   */
  async close(isInOrder: boolean, silent: readonly JobPlace[]): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#endings);
    const jobs = this.#ports.ledger.jobs.list(this.#study.id);
    if (isInOrder) await this.#end(jobs, AbortSignal.timeout(END_JOBS_MS), { isWaitedFor: true, silent });
  }

  async #end(jobs: readonly Job[], signal: AbortSignal, how: HowToEnd, isTold = () => true): Promise<void> {
    const left = await endJobs(jobs, this.#ports, signal, how).catch(error => [(error as Error).message]);
    if (!isTold()) return;
    for (const message of left) this.#ports.emit({ type: 'warning', code: 'jobs', message });
  }
}
