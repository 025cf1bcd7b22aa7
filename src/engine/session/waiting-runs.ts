import { watchDeadline } from '../watch-deadline.ts';

type Due = {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly now: () => number;
  /** Whether something else is to be done first. */
  readonly isToMakeWay: () => boolean;
};

/** Runs under way, which are put off for something else as long as no machine has taken them. */
export class WaitingRuns {
  readonly #waiting = new Set<() => void>();

  /** Trains a run that may be put off: its signal is aborted once the deadline has come, or the run is to make way. */
  async train<T>(due: Due, begin: (putOff: AbortSignal) => Promise<T>): Promise<T> {
    const { deadline, now, isToMakeWay } = due;
    const putOff = new AbortController();
    const look = () => {
      if (isToMakeWay() || now() >= deadline) putOff.abort();
    };
    this.#waiting.add(look);
    const unwatch = watchDeadline(deadline, now, look);
    look();
    try {
      return await begin(putOff.signal);
    } finally {
      this.#waiting.delete(look);
      unwatch();
    }
  }

  /** Something has happened that runs may have to make way for. */
  look(): void {
    for (const look of this.#waiting) look();
  }
}
