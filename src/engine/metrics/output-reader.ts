import type { Crash, RunOutcome, Summary } from '../../shared/study.ts';
import { CrashReader } from './crash.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseProgress } from './progress.ts';
import { SummaryReader } from './summary.ts';

/** A progress point with its time: seconds since the run began. */
export type SeriesPoint = { readonly seconds: number; readonly values: ReadonlyMap<string, number> };

/**
 * More points than this from one run are thinned: then every second one is kept, then every fourth, and so on.
 * The log keeps them all.
 */
export const FULL_RESOLUTION_POINTS = 20_000;

/** Reads a run's output while it comes: series, summary, and what a crash needs. Memory stays bounded. */
export class OutputReader {
  readonly units = new Map<string, string>();
  readonly #summary = new SummaryReader();
  readonly #crash = new CrashReader();
  readonly #splitter: LineSplitter;
  readonly #onPoint: (point: SeriesPoint) => void;
  readonly #now: () => number;
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
    const isThinned = this.#stride > 1 && this.#seen % this.#stride !== 0 && line.includes('|');
    const point = isThinned ? null : parseProgress(line);
    if (!point && !isThinned) {
      this.#summary.line(line);
      return;
    }
    this.#seen += 1;
    if (this.#seen >= FULL_RESOLUTION_POINTS * this.#stride * 2) this.#stride *= 2;
    if (!point) return;
    for (const [name, unit] of point.units) this.units.set(name, unit);
    this.#onPoint({ seconds: this.#now(), values: point.values });
  }
}
