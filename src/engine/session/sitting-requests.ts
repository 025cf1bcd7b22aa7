import type { Ledger } from '../store/ledger.ts';
import type { Request } from '../store/requests.ts';
import type { Sitting } from './sitting.ts';

/** How often the engine checks for requests from other processes. */
const POLL_MS = 200;

/** Hands the user's requests to the sitting. Those that come before it has begun wait for it. */
export class SittingRequests {
  readonly #ledger: Ledger;
  #sitting: Sitting | null = null;
  readonly #early: Request[] = [];
  #stopNow = new AbortController();
  #opening = new AbortController();
  #poll: NodeJS.Timeout | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Null unless one runs. */
  get sitting(): Sitting | null {
    return this.#sitting;
  }

  /** Ends what runs now. */
  get stopNow(): AbortSignal {
    return this.#stopNow.signal;
  }

  /** Aborted if the user wants a stop before the sitting has begun: then nothing need be waited for. */
  get opening(): AbortSignal {
    return this.#opening.signal;
  }

  /** Takes requests of other processes from the ledger, until {@link pause} or {@link end}. */
  poll(): void {
    this.#poll = setInterval(() => this.#takeAll(), POLL_MS);
  }

  begin(sitting: Sitting): void {
    this.#sitting = sitting;
    for (const request of this.#early.splice(0)) this.answer(request);
  }

  pause(): void {
    clearInterval(this.#poll);
  }

  /** Call it when the sitting has ended, or could not be opened. */
  end(): void {
    this.pause();
    this.#sitting = null;
    this.#early.length = 0;
    this.#stopNow = new AbortController();
    this.#opening = new AbortController();
  }

  answer(request: Request): void {
    const { kind } = request;
    if (!this.#sitting) {
      this.#early.push(request);
      if (kind === 'stop' || kind === 'stop_now') this.#opening.abort(stopped());
      return;
    }
    // The run may have ended since the request.
    if (kind === 'stop_run') this.#sitting.stopRun(request.n);
    else if (kind === 'stop_now') this.#stopNow.abort(stopped());
    else if (kind === 'continue') this.#sitting.goOn();
    else this.#sitting.wish(kind);
  }

  #takeAll(): void {
    try {
      if (this.#ledger.requests.isEmpty()) return;
      for (const request of this.#ledger.write(() => this.#ledger.requests.take())) this.answer(request);
    } catch {
      // A faulty disk will show at the loop's next write; a request can wait until then.
    }
  }
}

function stopped(): DOMException {
  return new DOMException('stopped by the user', 'AbortError');
}
