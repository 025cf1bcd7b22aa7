import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventBatch, NotebookEvent } from '../../shared/notebook.ts';

/** A window that is further behind reads a new snapshot, which is less work for both. */
const KEPT_EVENTS = 5_000;
/** More than anyone can see, but few enough to handle between two frames. */
const BATCH_EVENTS = 500;
/** Batches go out at most ten times a second. */
const BATCH_MS = 100;

/** Numbers a host's events, from its start to its end, and hands them to all who follow. */
export class EventHub {
  readonly epoch = randomUUID();
  /** The oldest kept event is number `#first`. */
  #first = 1;
  #events: NotebookEvent[] = [];
  readonly #listeners = new Set<(event: NotebookEvent) => void>();
  #waiting: (() => void)[] = [];

  /** Number of the last event; 0 before the first. */
  get seq(): number {
    return this.#first + this.#events.length - 1;
  }

  publish(event: NotebookEvent): void {
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT_EVENTS) {
      const dropped = this.#events.length - KEPT_EVENTS;
      this.#events = this.#events.slice(dropped);
      this.#first += dropped;
    }
    for (const listener of this.#listeners) listener(event);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** For the host itself; returns the function that ends it. */
  subscribe(listener: (event: NotebookEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Yields every event after number `after`, in order and without a gap. Returns when that is impossible: another
   * epoch, a number that is yet to come, or one so old that the event after it was dropped. Rejects with an
   * `AbortError`.
   */
  async *follow(epoch: string, after: number, signal: AbortSignal | undefined): AsyncGenerator<EventBatch> {
    let next = after + 1;
    if (epoch !== this.epoch || after > this.seq) return;
    for (;;) {
      if (next < this.#first) return;
      const start = next - this.#first;
      const events = this.#events.slice(start, start + BATCH_EVENTS);
      if (events.length === 0) {
        await this.#change(signal);
        continue;
      }
      yield { from: next, events };
      next += events.length;
      await delay(BATCH_MS, undefined, { signal, ref: false });
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = () => {
        this.#waiting = this.#waiting.filter(wake => wake !== settle);
        reject(signal?.reason);
      };
      const settle = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(settle);
    });
  }
}
