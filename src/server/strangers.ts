import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How many connections a server holds, and for how long those that have not shown the token. */
export type ServerLimits = {
  /** Connections that have not shown the token: those that load the window, and whoever else is on this machine. */
  readonly strangers: number;
  /** Open windows. */
  readonly windows: number;
  /** For the head of a request, from the connection on. */
  readonly headMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** Without a byte either way, and between two requests. */
  readonly idleMs: number;
};

/** A browser loads a window over six connections; this is a page for ten of them at the same time. */
const MAX_STRANGERS = 64;
/** More windows than anybody has; each costs a picture of the ledger. */
const MAX_WINDOWS = 64;
/** A browser asks again when it has an answer, which may be a moment before the answer's file is closed. */
const MAX_WAITING = 8;
/**
 * A browser connects before it knows what to ask, and does not ask again where such a connection is closed as it asks.
 * Chromium gives one up that it has not used for 10 s (`kUnusedIdleSocketTimeout`), so nobody closes it before.
 */
const UNUSED_MS = 15_000;
/** What a process may have open where that cannot be read: the least of today's systems. */
const FEW_DESCRIPTORS = 256;

/**
 * Limits under which the engine keeps at least three quarters of the file descriptors: a study that cannot open a file
 * ends.
 * @param descriptors how many this process may have open
 */
export function serverLimits(descriptors: number): ServerLimits {
  // A connection without the token may ask for a file, and then costs two.
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
 * The connections that have not shown the token. Where one too many comes, the oldest that waits for nothing is closed: a
 * window of the user's asks as soon as it is connected and gets in, however many connections somebody holds open.
 * To refuse the newest would lock the user out for as long as the others stay.
 */
export class Strangers {
  readonly #most: number;
  readonly #onFull: () => void;
  /** In the order they came, with the number of their requests that are not answered. */
  readonly #asking = new Map<Socket, number>();
  #isFull = false;

  /** @param onFull called when the first of a crowd is closed, and again once there was room in between. */
  constructor(most: number, onFull: () => void) {
    this.#most = most;
    this.#onFull = onFull;
  }

  add(socket: Socket): void {
    if (this.#asking.size >= this.#most) this.#closeOne();
    this.#asking.set(socket, 0);
    socket.once('close', () => this.admit(socket));
  }

  /** The token was shown, or the connection is gone. */
  admit(socket: Socket): void {
    this.#asking.delete(socket);
    if (this.#asking.size < this.#most / 2) this.#isFull = false;
  }

  /** False where too many requests wait already. */
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
