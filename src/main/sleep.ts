import { powerSaveBlocker } from 'electron';

/** Keeps the system awake while something trains. The display may sleep. */
export class SleepBlock {
  #id: number | null = null;

  /** Takes or gives back the block, whichever is due. */
  set(isTraining: boolean): void {
    if (isTraining && this.#id === null) this.#id = powerSaveBlocker.start('prevent-app-suspension');
    if (!isTraining && this.#id !== null) {
      powerSaveBlocker.stop(this.#id);
      this.#id = null;
    }
  }
}
