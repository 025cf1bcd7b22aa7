import { powerSaveBlocker } from 'electron';

/** Keeps the system awake during a training. The display may sleep. */
export class SleepBlock {
  #id: number | null = null;

  /** Starts or ends the block, if needed. */
  set(isTraining: boolean): void {
    if (isTraining && this.#id === null) this.#id = powerSaveBlocker.start('prevent-app-suspension');
    if (!isTraining && this.#id !== null) {
      powerSaveBlocker.stop(this.#id);
      this.#id = null;
    }
  }
}
