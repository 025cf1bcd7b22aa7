import { stripControl } from '../metrics/line-splitter.ts';

/** What a proposer thinks is shown as it comes, but a reader needs no more than this of it. */
const THOUGHT_MS = 250;
const THOUGHT_CHARACTERS = 2_000;

/** Passes the newest thought on, a few times a second at most. */
export class Thoughts {
  readonly #pass: (text: string) => void;
  #newest = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(pass: (text: string) => void) {
    this.#pass = pass;
  }

  add(text: string): void {
    this.#newest = stripControl(text.slice(-THOUGHT_CHARACTERS));
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#pass(this.#newest);
    }, THOUGHT_MS);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }
}
