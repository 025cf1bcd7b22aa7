import { EventEmitter, once } from 'node:events';
import type { SlurmClient } from './slurm-client.ts';

/** Fields of a line; the name comes last because it may contain anything. Source: squeue(1). */
const FORMAT = '%i|%T|%r|%N|%j';
/** A scheduler that a thousand people share should not be queried more often. */
export const QUEUE_INTERVAL_MS = 10_000;

export type QueuedJob = {
  readonly id: string;
  /** PENDING, RUNNING, CANCELLED: Slurm's words. */
  readonly state: string;
  /** Why it does not run; null if Slurm gives no reason. */
  readonly reason: string | null;
  readonly nodes: string;
  readonly name: string;
};

export type Listing =
  /** All jobs of this user that Slurm knows. It forgets one some minutes after its end. */
  | { readonly kind: 'jobs'; readonly jobs: readonly QueuedJob[] }
  | { readonly kind: 'unreachable'; readonly message: string };

/** Queries Slurm for all jobs at once, as long as somebody waits for one, and never more often than every few seconds. */
export class SlurmQueue {
  readonly #client: SlurmClient;
  readonly #intervalMs: number;
  readonly #told = new EventEmitter().setMaxListeners(0);
  #timer: NodeJS.Timeout | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #waiting = 0;
  /** The number of queries so far. */
  calls = 0;

  constructor(client: SlurmClient, intervalMs: number = QUEUE_INTERVAL_MS) {
    this.#client = client;
    this.#intervalMs = intervalMs;
  }

  /**
   * Receives each listing from now on; the first was made after this call. Returns a function that ends the
   * subscription.
   */
  subscribe(listener: (listing: Listing) => void): () => void {
    // A query that is already under way began before this call.
    let isLate = this.#isAsking;
    const hear = (listing: Listing) => {
      if (isLate) isLate = false;
      else listener(listing);
    };
    this.#told.on('listing', hear);
    this.#waiting += 1;
    this.#schedule();
    return () => {
      this.#told.off('listing', hear);
      this.#waiting -= 1;
      if (this.#waiting > 0 || this.#timer === null) return;
      clearTimeout(this.#timer);
      this.#timer = null;
    };
  }

  /** The first listing made after this call. Rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<Listing> {
    const heard = new EventEmitter();
    const end = this.subscribe(listing => heard.emit('listing', listing));
    try {
      const [listing] = await once(heard, 'listing', { signal });
      return listing as Listing;
    } finally {
      end();
    }
  }

  #schedule(): void {
    if (this.#timer !== null || this.#isAsking || this.#waiting === 0) return;
    const pause = Math.max(0, this.#askedAt + this.#intervalMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#ask();
    }, pause);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#askedAt = performance.now();
    this.calls += 1;
    const user = String(process.getuid?.() ?? '');
    const args = ['--noheader', '--states=all', `--user=${user}`, `--format=${FORMAT}`];
    const answer = await this.#client('squeue', args);
    this.#isAsking = false;
    this.#told.emit(
      'listing',
      answer.kind === 'answer'
        ? { kind: 'jobs', jobs: parseQueue(answer.text) }
        : { kind: 'unreachable', message: answer.message },
    );
    this.#schedule();
  }
}

export function parseQueue(text: string): readonly QueuedJob[] {
  return text.split('\n').flatMap(line => {
    const [id = '', state = '', reason = '', nodes = '', ...name] = line.split('|');
    if (!/^\d+$/.test(id)) return [];
    return [{ id, state, reason: reason === 'None' ? null : reason, nodes, name: name.join('|') }];
  });
}
