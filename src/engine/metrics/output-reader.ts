import type { Crash, RunOutcome, Summary } from '../../shared/study.ts';
import { CrashReader } from './crash.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseProgress } from './progress.ts';
import { SummaryReader } from './summary.ts';

/** A progress point with its time: seconds since the run began. */
export type SeriesPoint = { readonly seconds: number; readonly values: ReadonlyMap<string, number> };

/**
 * From twice this many points of a run on every second one is kept, from four times as many every fourth, and so
 * on: at most about this many for each doubling. The log keeps them all.
 */
export const FULL_RESOLUTION_POINTS = 20_000;

/** More series than this from one run are not measurements. */
const MAX_SERIES = 256;

/** This many first characters and the number of bars tell whether a line has the form of the last progress line. */
const FORM_CHARACTERS = 5;

/** Reads a run's output while it comes: series, summary, and what a crash needs. Memory stays bounded. */
export class OutputReader {
  readonly units = new Map<string, string>();
  readonly #summary = new SummaryReader();
  readonly #crash = new CrashReader();
  readonly #splitter: LineSplitter;
  readonly #onPoint: (point: SeriesPoint) => void;
  readonly #now: () => number;
  readonly #names = new Set<string>();
  #form = '';
  #seen = 0;
  #stride = 1;

  /**
   * @param now seconds since the run began
   */
  constructor(onPoint: (point: SeriesPoint) => void, now: () => number) {
    this.#onPoint = onPoint;
    this.#now = now;
    this.#splitter = new LineSplitter(line => this.#line(line));
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  /** Call once after the last chunk. */
  end(): void {
    this.#splitter.end();
  }

  summary(): Summary | null {
    return this.#summary.result();
  }

  classify(outcome: RunOutcome, metricName: string, limitSeconds: number): Crash | null {
    const metric = this.summary()?.[metricName] ?? null;
    return this.#crash.classify(outcome, metric, metricName, limitSeconds);
  }

  #line(line: string): void {
    this.#crash.line(line);
    // A line is thinned unread only if it looks like the last one: anything else may be the result.
    const isThinned = this.#stride > 1 && this.#seen % this.#stride !== 0 && formOf(line) === this.#form;
    const point = isThinned ? null : parseProgress(line);
    if (!point && !isThinned) {
      this.#summary.line(line);
      return;
    }
    this.#seen += 1;
    if (this.#seen >= FULL_RESOLUTION_POINTS * this.#stride * 2) this.#stride *= 2;
    if (!point) return;
    this.#form = formOf(line);
    for (const name of point.values.keys()) if (this.#names.size < MAX_SERIES) this.#names.add(name);
    const values = new Map([...point.values].filter(([name]) => this.#names.has(name)));
    if (values.size === 0) return;
    for (const [name, unit] of point.units) if (this.#names.has(name)) this.units.set(name, unit);
    this.#onPoint({ seconds: this.#now(), values });
  }
}

function formOf(line: string): string {
  let bars = 0;
  for (let at = line.indexOf('|'); at >= 0; at = line.indexOf('|', at + 1)) bars += 1;
  return `${line.slice(0, FORM_CHARACTERS)}${bars}`;
}
