/** Node takes a longer wait for none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
    let late: NodeJS.Timeout | undefined;
    const look = () => {
      clearTimeout(late);
      if (isToMakeWay() || now() >= deadline) return putOff.abort();
      // It may fire a little early, and none is as long as some deadlines.
      late = setTimeout(look, Math.min(Math.max(deadline - now(), 1), LONGEST_TIMER_MS));
    };
    this.#waiting.add(look);
    look();
    try {
      return await begin(putOff.signal);
    } finally {
      this.#waiting.delete(look);
      clearTimeout(late);
    }
  }

  /** Something has happened that runs may have to make way for. */
  look(): void {
    for (const look of this.#waiting) look();
  }
}
