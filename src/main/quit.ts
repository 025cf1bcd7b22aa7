/** What a quit needs of the world, in the order it is needed. */
export type QuitEffects = {
  /** Whether something trains that a quit would stop. */
  readonly isTraining: () => boolean;
  /** Asks the user; true to stop it and quit. */
  readonly confirm: () => Promise<boolean>;
  /** What to do before the end, in this order. A step that fails or takes too long does not keep the app. */
  readonly steps: readonly { readonly name: string; readonly run: () => void | Promise<void> }[];
  /** Ends the process. */
  readonly leave: () => void;
  readonly onError: (step: string, error: unknown) => void;
  /** How long one step may take. */
  readonly limitMs: number;
};

/**
 * How the app ends, once: whatever asks for it a second time, while the user is asked or the engine stops, changes
 * nothing. A step that hangs is left behind, which the ledger is made to survive.
 */
export class QuitSequence {
  #state: 'staying' | 'asking' | 'leaving' = 'staying';
  readonly #effects: QuitEffects;

  constructor(effects: QuitEffects) {
    this.#effects = effects;
  }

  /** True from the moment there is no way back. */
  get isLeaving(): boolean {
    return this.#state === 'leaving';
  }

  /** Somebody wants to quit. `force` is for who cannot be asked: a signal, the system shutting down. */
  async request(options: { readonly force: boolean } = { force: false }): Promise<void> {
    const { isTraining, confirm, onError } = this.#effects;
    if (this.#state === 'leaving' || (this.#state === 'asking' && !options.force)) return;
    if (!options.force && isTraining()) {
      this.#state = 'asking';
      const isWanted = await confirm().catch(error => {
        onError('ask', error);
        return false;
      });
      // A signal may have come meanwhile.
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
