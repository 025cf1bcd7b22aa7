import type { SeriesPoint } from './output-reader.ts';

/** Fewer steps say nothing. */
const LEAST_STEPS = 10;

/** How fast a training steps, without its beginning, when things are compiled and caches fill. */
export class StepRate {
  readonly #points: { readonly seconds: number; readonly step: number }[] = [];
  /** Whether steps begin anew, with each epoch for instance. */
  #isLost = false;

  add({ seconds, values }: SeriesPoint): void {
    const step = values.get('step');
    if (step === undefined || !Number.isFinite(step)) return;
    if (step < (this.#points.at(-1)?.step ?? step)) this.#isLost = true;
    this.#points.push({ seconds, step });
  }

  /** The last step; null where it printed none, or went back. */
  last(): number | null {
    return this.#isLost ? null : (this.#points.at(-1)?.step ?? null);
  }

  /** Steps a second over the later half of its time; null where it printed too few, or went back. */
  get(): number | null {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (!first || !last || this.#isLost) return null;
    const middle = (first.seconds + last.seconds) / 2;
    const begin = this.#points.find(({ seconds }) => seconds >= middle);
    if (!begin || last.step - begin.step < LEAST_STEPS || last.seconds <= begin.seconds) return null;
    return (last.step - begin.step) / (last.seconds - begin.seconds);
  }
}
