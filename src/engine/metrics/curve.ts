import { TRAINING_LOSS } from '../../shared/charts/training-loss.ts';
import { median } from './number.ts';
import type { SeriesPoint } from './output-reader.ts';

/** A curve has one point for each twentieth of the budget. */
export const CURVE_PARTS = 20;

/** The median of the values printed in one part of a run, and its last step, if it counts steps. */
export type CurvePoint = { readonly value: number; readonly step: number | null };

/** A series during a run, one point per part; a point is null if that part printed no number. */
export type Curve = {
  readonly series: string;
  readonly points: readonly (CurvePoint | null)[];
};

/** Tolerance, because a printed share may be rounded. */
const BACK_SHARE = 0.02;

export type CurveSettings = {
  /** The metric's name. Its own series is used if the training prints one; otherwise the loss. */
  readonly metric: string;
  /** Measures progress, from the first line on, for a training that prints no share of its own. */
  readonly budgetSeconds: number;
};

/** Reads a run's curve from its progress points, in order. */
export class CurveReader {
  readonly #settings: CurveSettings;
  #points: (CurvePoint | null)[] = [];
  #hasPercent = false;
  #share = 0;
  /**
   * Whether progress went backwards, for instance because each epoch counts from the start: the true share is then
   * unknown.
   */
  #isLost = false;
  #series: string | null = null;
  #began: number | null = null;
  #values: number[] = [];
  #step: number | null = null;
  /** Whether the part contains a value that is not a finite number. */
  #isBroken = false;

  constructor(settings: CurveSettings) {
    this.#settings = settings;
  }

  /** Returns whether this point has ended a part. */
  add({ seconds, values }: SeriesPoint): boolean {
    this.#began ??= seconds;
    this.#series ??= this.#choose(values);
    if (this.#series === null) return false;
    const percent = values.get('progress');
    if (percent !== undefined && !this.#hasPercent) {
      // Points placed by the clock so far do not compare with printed shares.
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
    // A point on a boundary still belongs to the part before it.
    const part = Math.min(CURVE_PARTS, Math.ceil(share * CURVE_PARTS - 1e-9)) - 1;
    const before = this.#points.length;
    while (this.#points.length < part) this.#close();
    const value = values.get(this.#series);
    if (value !== undefined && Number.isFinite(value)) this.#values.push(value);
    else if (value !== undefined) this.#isBroken = true;
    this.#step = step ?? this.#step;
    return this.#points.length > before;
  }

  /**
   * The completed parts; with `isEnded` also the last, incomplete one. Null if there is no series to read, or
   * progress is unknown.
   */
  curve(isEnded: boolean): Curve | null {
    if (this.#series === null || this.#isLost) return null;
    const last = isEnded && this.#points.length < CURVE_PARTS ? [this.#current()] : [];
    return { series: this.#series, points: [...this.#points, ...last] };
  }

  #choose(values: ReadonlyMap<string, number>): string | null {
    const { metric } = this.#settings;
    if (values.has(metric)) return metric;
    return [...values.keys()].find(name => TRAINING_LOSS.test(name)) ?? null;
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
