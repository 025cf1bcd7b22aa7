import { stripControl } from '../metrics/line-splitter.ts';

/** A proposer's thoughts are shown as they come, but a reader needs no more than one update in this time. */
const THOUGHT_MS = 250;
const THOUGHT_CHARACTERS = 2_000;

/** Passes on the newest thought, at most a few times a second. */
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
