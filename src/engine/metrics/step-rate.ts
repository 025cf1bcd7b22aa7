import type { SeriesPoint } from './output-reader.ts';

/** Fewer steps do not give a rate. */
const LEAST_STEPS = 10;

/** Steps per second of a training, without its start, when code is compiled and caches fill. */
export class StepRate {
  readonly #points: { readonly seconds: number; readonly step: number }[] = [];
  /** Whether the step count went back, for instance at a new epoch. */
  #isLost = false;

  add({ seconds, values }: SeriesPoint): void {
    const step = values.get('step');
    if (step === undefined || !Number.isFinite(step)) return;
    if (step < (this.#points.at(-1)?.step ?? step)) this.#isLost = true;
    this.#points.push({ seconds, step });
  }

  /** The last step; null if it printed none, or the count went back. */
  last(): number | null {
    return this.#isLost ? null : (this.#points.at(-1)?.step ?? null);
  }

  /** Steps per second over the second half of its time; null if it printed too few, or the count went back. */
  get(): number | null {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (!first || !last || this.#isLost) return null;
    const middle = (first.seconds + last.seconds) / 2;
    const begin = this.#points.find(({ seconds }) => seconds >= middle);
    if (!begin || last.step - begin.step < LEAST_STEPS || last.seconds <= begin.seconds) return null;
    return (last.step - begin.step) / (last.seconds - begin.seconds);
  }
}
