import type { Skipped } from '../../../shared/imports.ts';
import type { SeriesPoint } from '../../metrics/output-reader.ts';
import type { Goal } from '../imported-table.ts';

/** A run as an experiment tracker recorded it. */
export type TrackedRun = {
  readonly name: string;
  /** How it ended, in the tracker's word; null if the tracker does not say. */
  readonly status: string | null;
  readonly exitCode: number | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** The run's settings. */
  readonly settings: ReadonlyMap<string, string>;
  /** The last value of each of its numbers. */
  readonly summary: ReadonlyMap<string, number>;
  readonly points: readonly SeriesPoint[];
  /** The commit it ran on. */
  readonly commit: string | null;
};

/** Everything read from a tracker's files. */
export type Tracked = {
  readonly runs: readonly TrackedRun[];
  readonly skipped: readonly Skipped[];
  /** The number that counts, if the tracker says, and which direction is better. */
  readonly objective?: { readonly name: string; readonly goal: Goal | null } | null;
};

export const MAX_RUNS = 2_000;
/** Per file; larger ones contain images or weights. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_SERIES = 256;
const MAX_POINTS = 40_000;
/** For all runs of an import, which stay in memory until they are written. */
const MAX_VALUES = 2_000_000;
/** The memory of a point beside its values, in values. */
const POINT_VALUES = 3;
const MAX_SETTINGS = 256;
const MAX_TEXT_CHARACTERS = 1_000;
const MAX_NAME_CHARACTERS = 200;

/** The largest time a `Date` can hold, in milliseconds. */
const MAX_TIME_MS = 8.64e15;

/** Whole milliseconds since the epoch; null if it is no valid time. */
export function wholeTime(ms: number | null): number | null {
  return ms !== null && Math.abs(ms) <= MAX_TIME_MS ? Math.round(ms) : null;
}

/**
 * Shares the memory for points among the runs of an import, one after another: what one run does not use is left for
 * the next.
 */
export class RunGatherers {
  #runs: number;
  #room: number;
  #last: RunGatherer | null = null;

  /** @param runs how many there are at most */
  constructor(runs: number, room = MAX_VALUES) {
    this.#runs = runs;
    this.#room = room;
  }

  /** The gatherer of the next run; the one before must be finished. */
  next(): RunGatherer {
    this.#room -= this.#last?.held ?? 0;
    this.#last = new RunGatherer(this.#room / Math.max(1, this.#runs));
    this.#runs -= 1;
    return this.#last;
  }
}

type Moment = {
  readonly seconds: number;
  readonly step: number | null;
  readonly values: Map<string, number>;
  isKept: boolean;
};

/**
 * Gathers the numbers of one run within bounds: the first 256 names and, if there are many points, every second,
 * fourth … one.
 */
export class RunGatherer {
  readonly settings = new Map<string, string>();
  readonly summary = new Map<string, number>();
  readonly #names = new Set<string>();
  /** The step of each value in `summary`. */
  readonly #lastSteps = new Map<string, number>();
  readonly #room: number;
  #points: Moment[] = [];
  #last: Moment | null = null;
  #held = 0;
  #stride = 1;
  #seen = 0;

  /** @param room memory for points, in values */
  constructor(room: number) {
    this.#room = room;
  }

  /** The memory in use. */
  get held(): number {
    return this.#held;
  }

  /** Adds the numbers of one moment. Numbers of the same step as the previous ones belong to the same point. */
  add(seconds: number, step: number | null, values: Iterable<readonly [string, number]>): void {
    const entries = [...values].filter(([name]) => this.#isKnown(name));
    for (const [name, value] of entries) {
      this.summary.set(name, value);
      if (step !== null) this.#lastSteps.set(name, step);
    }
    if (entries.length === 0) return;
    const last = this.#last;
    const isSame =
      last !== null &&
      step !== null &&
      last.step === step &&
      entries.every(([name]) => !last.values.has(name));
    if (isSame) {
      for (const [name, value] of entries) last.values.set(name, value);
      if (last.isKept) this.#held += entries.length;
    } else {
      this.#seen += 1;
      // A point that is left out loses all its numbers, even if they arrive one by one.
      const isKept = this.#seen % this.#stride === 0;
      this.#last = { seconds, step, values: new Map(entries), isKept };
      if (isKept) {
        this.#points.push(this.#last);
        this.#held += this.#last.values.size + POINT_VALUES;
      }
    }
    while (this.#points.length >= MAX_POINTS || (this.#held > this.#room && this.#points.length > 1)) {
      this.#thin();
    }
  }

  /** Takes back the numbers of this step and of later ones. */
  forgetFrom(step: number): void {
    this.#points = this.#points.filter(point => point.step === null || point.step < step);
    this.#held = this.#points.reduce((held, { values }) => held + values.size + POINT_VALUES, 0);
    this.#last = null;
    const gone = new Set([...this.#lastSteps].flatMap(([name, last]) => (last >= step ? [name] : [])));
    for (const name of gone) this.summary.delete(name);
    for (const { values } of this.#points) {
      for (const [name, value] of values) if (gone.has(name)) this.summary.set(name, value);
    }
  }

  #thin(): void {
    const points: Moment[] = [];
    for (const [index, point] of this.#points.entries()) {
      point.isKept = index % 2 === 1;
      if (point.isKept) points.push(point);
      else this.#held -= point.values.size + POINT_VALUES;
    }
    this.#points = points;
    this.#stride *= 2;
  }

  setting(name: string, value: string): void {
    if (!this.settings.has(name) && this.settings.size >= MAX_SETTINGS) return;
    this.settings.set(name.slice(0, MAX_NAME_CHARACTERS), value.slice(0, MAX_TEXT_CHARACTERS));
  }

  /** In the order of time; adds a `step` value unless the run has its own. */
  points(): readonly SeriesPoint[] {
    const hasStep = this.#names.has('step');
    return this.#points
      .sort((a, b) => a.seconds - b.seconds)
      .map(({ seconds, step, values }) => ({
        seconds,
        values: hasStep || step === null ? values : new Map([['step', step], ...values]),
      }));
  }

  #isKnown(name: string): boolean {
    if (this.#names.has(name)) return true;
    if (this.#names.size >= MAX_SERIES || name === '' || name.length > MAX_NAME_CHARACTERS) return false;
    this.#names.add(name);
    return true;
  }
}
