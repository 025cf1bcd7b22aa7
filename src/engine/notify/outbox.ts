import { setTimeout as delay } from 'node:timers/promises';
import type { EngineEventBody } from '../../shared/events.ts';
import type { MessageRow } from '../store/messages.ts';
import { readChannel } from './channel.ts';
import { composeMessage, type MessagePorts } from './message.ts';
import { noticeOf } from './notice-of.ts';
import { post } from './post.ts';
import { requestOf } from './request-of.ts';

/** Further messages in the same hour are held back; the next message says how many. The end of a sitting is always sent. */
const MOST_AN_HOUR = 20;
const HOUR_MS = 3_600_000;
/** Waits between tries; the last one repeats. */
const RETRY_MS: readonly number[] = [5_000, 30_000, 120_000, 600_000];
/** Older messages are of no use. */
const STALE_MS = 24 * HOUR_MS;
const KEPT_MS = 30 * 24 * HOUR_MS;

type Ports = MessagePorts & {
  /** Called once for each message that is given up. */
  readonly onFailure: (error: string) => void;
  readonly retryMs?: readonly number[];
};

/**
 * Sends events to the user over their channel, if they have switched one on. A message is stored together with its
 * event and stays until it is sent, so a later engine sends what an earlier one could not. A message in flight when
 * the engine is killed may arrive twice, with the same `id`.
 */
export class Outbox {
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  #work: Promise<void> | null = null;
  /** When the failed message is tried again. */
  #nextTry = 0;
  #onWait: (ms: number) => void = () => {};

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Whether this event makes a message. */
  wants(event: EngineEventBody, study: string): boolean {
    return this.#noticeOf(event, study) !== null;
  }

  /** Stores the event's message. Call it inside `ledger.write`. */
  keep(event: EngineEventBody, study: string): void {
    const notice = this.#noticeOf(event, study);
    if (!notice) return;
    const { ledger, now } = this.#ports;
    ledger.messages.forgetBefore(now() - KEPT_MS);
    const isFull = ledger.messages.countSince(now() - HOUR_MS) >= MOST_AN_HOUR;
    const state = isFull && event.type !== 'study_stopped' ? 'held' : 'waiting';
    ledger.messages.add(notice, event.type, state, now());
  }

  #noticeOf(event: EngineEventBody, study: string) {
    const { ledger, now } = this.#ports;
    // A failure of the channel cannot be reported over the channel.
    if (event.type === 'warning' && event.code === 'channel') return null;
    const notice = noticeOf(event, now(), study, ledger);
    if (!notice) return null;
    const channel = readChannel(ledger);
    return channel?.isOn && channel.form.tells[notice.kind] ? notice : null;
  }

  /** Starts sending the waiting messages. */
  send(): void {
    if (this.#closed.signal.aborted) return;
    this.#work ??= this.#sendAll()
      .catch(error => {
        if (!this.#closed.signal.aborted) this.#ports.onFailure((error as Error).message);
      })
      .finally(() => {
        this.#work = null;
      });
  }

  /** Resolves once no message waits, or after `ms`; earlier if the next try would come too late. */
  async settled(ms: number): Promise<void> {
    if (this.#nextTry - performance.now() > ms) return;
    const { promise: isTooLate, resolve } = Promise.withResolvers<void>();
    this.#onWait = waits => waits > ms && resolve();
    const done = new AbortController();
    await Promise.race([this.#work, isTooLate, delay(ms, null, { signal: done.signal }).catch(() => {})]);
    done.abort();
  }

  async #wait(ms: number): Promise<void> {
    this.#nextTry = performance.now() + ms;
    this.#onWait(ms);
    await delay(ms, null, { signal: this.#closed.signal, ref: false });
  }

  close(): void {
    this.#closed.abort();
  }

  async #sendAll(): Promise<void> {
    const { ledger, now } = this.#ports;
    for (let row = ledger.messages.firstWaiting(); row; row = ledger.messages.firstWaiting()) {
      const { id } = row;
      const error = await this.#sendOne(row);
      this.#closed.signal.throwIfAborted();
      ledger.write(() => ledger.messages.settle(id, error === null ? 'sent' : 'failed', now(), error));
      if (error !== null) this.#ports.onFailure(error);
    }
  }

  /** Null if it was sent; otherwise why it is given up. */
  async #sendOne(row: MessageRow) {
    const { ledger, now, retryMs = RETRY_MS } = this.#ports;
    const { signal } = this.#closed;
    let error: string | null = null;
    for (let { tries } = row; ; tries += 1) {
      // Read at each try, because the user may have corrected the address.
      const channel = readChannel(ledger);
      if (!channel?.isOn) return 'It was switched off before this could be sent.';
      if (now() - row.at > STALE_MS) return error ?? 'It could not be sent within a day.';
      const message = await composeMessage(row, channel.form.encloses, this.#ports);
      signal.throwIfAborted();
      if (!message) return 'Its study is gone.';
      ledger.write(() => ledger.messages.tried(row.id));
      const outcome = await post(requestOf(channel, message), signal);
      if (outcome.kind === 'sent') return null;
      error = outcome.error;
      if (outcome.kind === 'refused') return outcome.error;
      const wait = retryMs[Math.min(tries, retryMs.length - 1)] ?? 0;
      await this.#wait(Math.max(wait, outcome.afterMs ?? 0));
    }
  }
}
