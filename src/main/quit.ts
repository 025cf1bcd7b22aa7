/** The effects of a quit, in the order in which they are needed. */
export type QuitEffects = {
  /** Whether a training is running that a quit would stop. */
  readonly isTraining: () => boolean;
  /** Asks the user; true means: stop it and quit. */
  readonly confirm: () => Promise<boolean>;
  /** What to do before the end, in this order. A step that fails or takes too long does not block the quit. */
  readonly steps: readonly { readonly name: string; readonly run: () => void | Promise<void> }[];
  /** Ends the process. */
  readonly leave: () => void;
  readonly onError: (step: string, error: unknown) => void;
  /** How long one step may take. */
  readonly limitMs: number;
};

/**
 * Ends the app once: a second request, while the user is asked or the engine stops, changes nothing. A step that
 * hangs is abandoned; the ledger is made to survive that.
 */
export class QuitSequence {
  #state: 'staying' | 'asking' | 'leaving' = 'staying';
  readonly #effects: QuitEffects;

  constructor(effects: QuitEffects) {
    this.#effects = effects;
  }

  /** True once the quit can no longer be cancelled. */
  get isLeaving(): boolean {
    return this.#state === 'leaving';
  }

  /** Someone wants to quit. `force` is for cases without a question: a signal, or the system shutting down. */
  async request(options: { readonly force: boolean } = { force: false }): Promise<void> {
    const { isTraining, confirm, onError } = this.#effects;
    if (this.#state === 'leaving' || (this.#state === 'asking' && !options.force)) return;
    if (!options.force && isTraining()) {
      this.#state = 'asking';
      const isWanted = await confirm().catch(error => {
        onError('ask', error);
        return false;
      });
      // A signal may have arrived meanwhile.
      if (this.#state !== 'asking') return;
      this.#state = 'staying';
      if (!isWanted) return;
    }
    this.#state = 'leaving';
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const { steps, leave, onError, limitMs } = this.#effects;
    for (const { name, run } of steps) {
      try {
        await withLimit(run, limitMs);
      } catch (error) {
        onError(name, error);
      }
    }
    leave();
  }
}

async function withLimit(run: () => void | Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([run(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
