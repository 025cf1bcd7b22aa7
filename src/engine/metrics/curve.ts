import { median } from './number.ts';
import type { SeriesPoint } from './output-reader.ts';

/** A curve is read at each twentieth of its budget. */
export const CURVE_PARTS = 20;

/** What a part of a run was: the median of what it printed, and the step it ended at, where it counts steps. */
export type CurvePoint = { readonly value: number; readonly step: number | null };

/** What a run was on its way: of one series a point for each part; null where it printed nothing, or no number. */
export type Curve = {
  readonly series: string;
  readonly points: readonly (CurvePoint | null)[];
};

/** A share that is printed may be rounded. */
const BACK_SHARE = 0.02;

/** What a training lowers, as it is commonly called. */
const LOSS = /^(?:train_?)?loss$/i;

export type CurveSettings = {
  /** What counts; its own series is taken where the training prints it on its way, else the loss. */
  readonly metric: string;
  /** The measure of the way for a training that prints no share of its own: from its first line on. */
  readonly budgetSeconds: number;
};

/** Reads a run's curve from its progress points, in order. */
export class CurveReader {
  readonly #settings: CurveSettings;
  #points: (CurvePoint | null)[] = [];
  #hasPercent = false;
  #share = 0;
  /** Whether the way went back, as where each epoch counts from the beginning: then nobody knows where it stands. */
  #isLost = false;
  #series: string | null = null;
  #began: number | null = null;
  #values: number[] = [];
  #step: number | null = null;
  /** Whether the part has a value that is none. */
  #isBroken = false;

  constructor(settings: CurveSettings) {
    this.#settings = settings;
  }

  /** Whether a part has ended with it. */
  add({ seconds, values }: SeriesPoint): boolean {
    this.#began ??= seconds;
    this.#series ??= this.#choose(values);
    if (this.#series === null) return false;
    const percent = values.get('progress');
    if (percent !== undefined && !this.#hasPercent) {
      // What the clock said before is of another measure.
      this.#hasPercent = true;
      this.#points = [];
      this.#values = [];
      this.#isBroken = false;
      this.#share = 0;
    }
    if (this.#hasPercent && percent === undefined) return false;
    const share =
      percent === undefined ? (seconds - this.#began) / this.#settings.budgetSeconds : percent / 100;
    const step = values.get('step') ?? null;
    if (share < this.#share - BACK_SHARE || (step !== null && this.#step !== null && step < this.#step)) {
      this.#isLost = true;
    }
    if (this.#isLost) return false;
    this.#share = share;
    // What lies on a boundary ends a part.
    const part = Math.min(CURVE_PARTS, Math.ceil(share * CURVE_PARTS - 1e-9)) - 1;
    const before = this.#points.length;
    while (this.#points.length < part) this.#close();
    const value = values.get(this.#series);
    if (value !== undefined && Number.isFinite(value)) this.#values.push(value);
    else if (value !== undefined) this.#isBroken = true;
    this.#step = step ?? this.#step;
    return this.#points.length > before;
  }

  /** The parts that have ended; with `isEnded` also the one it ended in. Null where there is no series to read, or no way. */
  curve(isEnded: boolean): Curve | null {
    if (this.#series === null || this.#isLost) return null;
    const last = isEnded && this.#points.length < CURVE_PARTS ? [this.#current()] : [];
    return { series: this.#series, points: [...this.#points, ...last] };
  }

  #choose(values: ReadonlyMap<string, number>): string | null {
    if (values.has(this.#settings.metric)) return this.#settings.metric;
    return [...values.keys()].find(name => LOSS.test(name)) ?? null;
  }

  #current(): CurvePoint | null {
    const value = median(this.#values);
    return value === null || this.#isBroken ? null : { value, step: this.#step };
  }

  #close(): void {
    this.#points.push(this.#current());
    this.#values = [];
    this.#isBroken = false;
  }
}
