import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How many connections a server accepts, and how long those without the token may stay. */
export type ServerLimits = {
  /** Connections without the token: those that load the window, and any other on this machine. */
  readonly strangers: number;
  /** Open windows. */
  readonly windows: number;
  /** For the headers of a request, counted from the connection. */
  readonly headMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** Without any data, and between two requests. */
  readonly idleMs: number;
};

/** A browser loads a window over six connections, so this allows ten at the same time. */
const MAX_STRANGERS = 64;
/** Nobody has more windows, and each costs a snapshot of the ledger. */
const MAX_WINDOWS = 64;
/** A browser may send its next request slightly before the last answer's file is closed. */
const MAX_WAITING = 8;
/**
 * A browser connects before it has a request, and does not retry if the connection closes just then. Chromium closes
 * a connection that it has not used for 10 s (`kUnusedIdleSocketTimeout`), so the server must not close it earlier.
 */
const UNUSED_MS = 15_000;
/** The assumed limit of open files if it cannot be read: the lowest of today's systems. */
const FEW_DESCRIPTORS = 256;

/**
 * Limits that leave at least three quarters of the file descriptors to the engine, because a study that cannot open a
 * file ends.
 * @param descriptors how many this process may have open
 */
export function serverLimits(descriptors: number): ServerLimits {
  // A connection without the token may request a file, and then needs two descriptors.
  const share = Math.max(4, Math.floor(descriptors / 16));
  return {
    strangers: Math.min(MAX_STRANGERS, share),
    windows: Math.min(MAX_WINDOWS, 2 * share),
    headMs: UNUSED_MS,
    requestMs: 20_000,
    idleMs: UNUSED_MS,
  };
}

/** How many files and sockets this process may have open (the soft limit, which Node raises to the hard one). */
export function readDescriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft ?? FEW_DESCRIPTORS);
  } catch {
    return FEW_DESCRIPTORS;
  }
}

/**
 * Connections without the token. If there is one too many, the oldest without a pending request is closed: the user's
 * own window sends a request as soon as it is connected and gets in, however many connections another program holds
 * open. Refusing the newest instead would lock the user out for as long as the others stay.
 */
export class Strangers {
  readonly #most: number;
  readonly #onFull: () => void;
  /** In the order of arrival, with the number of unanswered requests. */
  readonly #asking = new Map<Socket, number>();
  #isFull = false;

  /** @param onFull called when the limit is first reached, and again if it is reached after there was room */
  constructor(most: number, onFull: () => void) {
    this.#most = most;
    this.#onFull = onFull;
  }

  add(socket: Socket): void {
    if (this.#asking.size >= this.#most) this.#closeOne();
    this.#asking.set(socket, 0);
    socket.once('close', () => this.admit(socket));
  }

  /** The connection has shown the token, or is gone. */
  admit(socket: Socket): void {
    this.#asking.delete(socket);
    if (this.#asking.size < this.#most / 2) this.#isFull = false;
  }

  /** False if too many requests are already waiting. */
  ask(socket: Socket): boolean {
    const waiting = this.#asking.get(socket);
    if (waiting === undefined || waiting >= MAX_WAITING) return false;
    this.#asking.set(socket, waiting + 1);
    return true;
  }

  answered(socket: Socket): void {
    const waiting = this.#asking.get(socket);
    if (waiting !== undefined) this.#asking.set(socket, waiting - 1);
  }

  #closeOne(): void {
    const sockets = [...this.#asking.keys()];
    const oldest = sockets.find(socket => this.#asking.get(socket) === 0) ?? sockets[0];
    if (!this.#isFull) this.#onFull();
    this.#isFull = true;
    if (!oldest) return;
    this.#asking.delete(oldest);
    oldest.destroy();
  }
}
