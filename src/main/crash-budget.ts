/** Reloading does not help a page that crashes again and again. */
const RELOADS = 3;
const WINDOW_MS = 60_000;

/** Counts the crashes of a page. */
export class CrashBudget {
  #reloads: number[] = [];

  /** Whether to reload a page that crashed at `now` (milliseconds): at most three times per minute. */
  mayReload(now: number): boolean {
    this.#reloads = this.#reloads.filter(at => now - at < WINDOW_MS);
    if (this.#reloads.length >= RELOADS) return false;
    this.#reloads.push(now);
    return true;
  }

  /** Starts over, because the user wants to try again. */
  reset(): void {
    this.#reloads = [];
  }
}
