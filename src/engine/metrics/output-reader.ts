import type { Contract } from '../../shared/contract/contract.ts';
import type { Crash, RunOutcome, Summary } from '../../shared/study.ts';
import { BlockReader } from './blocks.ts';
import { CrashReader } from './classify-crash.ts';
import { ColumnReader } from './columns.ts';
import { LineSplitter } from './line-splitter.ts';
import { inUnit, plainQuantity, type Quantity } from './number.ts';
import { readNumbers } from './pairs.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { PrintedNames } from './printed-names.ts';
import { parseProgress, pointOf } from './progress.ts';
import { SummaryReader, type Wanted } from './summary.ts';

/** A progress point with its time, in seconds since the run began. */
export type SeriesPoint = { readonly seconds: number; readonly values: ReadonlyMap<string, number> };

/**
 * After twice this many points, only every second one is kept, after four times as many every fourth, and so on:
 * about this many per doubling. The log keeps all of them.
 */
export const FULL_RESOLUTION_POINTS = 20_000;

/** More series than this in one run are not measurements. */
const MAX_SERIES = 256;

/** The first characters and the number of bars decide whether a line looks like the last progress line. */
const FORM_CHARACTERS = 5;

/** After this many lines, names for a later error message are no longer collected. */
const LISTED_LINES = 50_000;
const LISTED_CHARACTERS = 2_000;

export type OutputSettings = {
  readonly metric: Contract['metric'];
  /** The unit of each series and number; without one, the first printed unit counts. */
  readonly units: Readonly<Record<string, string>>;
  /** Where the contract comes from, for advice. */
  readonly source?: Contract['source'];
};

/** Reads a run's output while it arrives: series, results, and what explains a crash. Memory is bounded. */
export class OutputReader {
  readonly units: Map<string, string>;
  readonly #metric: Contract['metric'] | null;
  readonly #pattern: Pattern | null;
  #matched: Quantity | null = null;
  readonly #summary: SummaryReader;
  readonly #blocks = new BlockReader();
  readonly #columns = new ColumnReader();
  readonly #names: PrintedNames;
  readonly #crash = new CrashReader();
  readonly #splitter: LineSplitter;
  readonly #onPoint: (point: SeriesPoint) => void;
  readonly #now: () => number;
  readonly #series = new Set<string>();
  #form = '';
  #seen = 0;
  #stride = 1;
  /** The last line that was skipped without being read. */
  #skipped: string | null = null;

  /**
   * @param now seconds since the run began
   * @param settings without them, names inside other text are not searched
   */
  constructor(onPoint: (point: SeriesPoint) => void, now: () => number, settings?: OutputSettings) {
    this.#onPoint = onPoint;
    this.#now = now;
    this.#metric = settings?.metric ?? null;
    this.#names = new PrintedNames(settings?.source ?? 'pawl.toml');
    this.#pattern = settings?.metric.pattern ? compilePattern(settings.metric.pattern) : null;
    this.#summary = new SummaryReader(settings && wantedOf(settings.metric));
    this.units = new Map(Object.entries(settings?.units ?? {}));
    this.#splitter = new LineSplitter((line, number) => this.#line(line, number));
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  /** Call once after the last chunk. */
  end(): void {
    this.#splitter.end();
    this.#readSkipped();
  }

  summary(): Summary | null {
    const found = new Map(this.#summary.result());
    const name = this.#metric?.name;
    if (this.#pattern && name !== undefined) {
      found.delete(name);
      if (this.#matched) found.set(name, this.#matched);
    }
    if (found.size === 0) return null;
    const told = [...found].flatMap(([key, quantity]) => {
      const value = this.#inUnit(key, quantity);
      return value === null ? [] : [[key, value] as const];
    });
    return told.length === 0 ? null : Object.fromEntries(told);
  }

  /** The text printed for a name in the contract, number or word; null if there was none. */
  printed(name: string): string | null {
    return this.#summary.printed(name)?.text ?? null;
  }

  /** Whether it printed any number, with or without a name. */
  get hasNumbers(): boolean {
    return !this.#names.isEmpty;
  }

  /** @param metricName null if the run need not print it */
  classify(outcome: RunOutcome, metricName: string | null, limitSeconds: number): Crash | null {
    const metric = metricName === null ? null : (this.summary()?.[metricName] ?? null);
    const crash = this.#crash.classify(outcome, metric, metricName, limitSeconds);
    if (crash?.class !== 'no_metric' || metricName === null) return crash;
    const looked = this.#pattern ? ' that metric.pattern matches' : '';
    return {
      ...crash,
      message: `${crash.message.replace(/\.$/, '')}${looked}.${this.#names.describe(metricName, this.#summary.hasBlock)}`,
    };
  }

  #line(line: string, number: number): void {
    this.#crash.line(line);
    const matched = this.#pattern?.(line);
    if (matched !== undefined) this.#matched = matched;
    // A line is skipped unread only if it looks like the last progress line; any other line may be the result.
    const isThinned = this.#stride > 1 && this.#seen % this.#stride !== 0 && formOf(line) === this.#form;
    if (isThinned) this.#skipped = line;
    else this.#readSkipped();
    const row = isThinned ? null : this.#columns.line(line);
    const point = isThinned
      ? null
      : row
        ? pointOf(row, [])
        : (this.#blocks.line(line) ?? parseProgress(line));
    if (row) this.#summary.row(row);
    else if (!isThinned) this.#readResult(line, number, point !== null);
    if (!point && !isThinned) return;
    this.#seen += 1;
    if (this.#seen >= FULL_RESOLUTION_POINTS * this.#stride * 2) this.#stride *= 2;
    if (!point) return;
    this.#form = formOf(line);
    for (const name of point.values.keys()) if (this.#series.size < MAX_SERIES) this.#series.add(name);
    const values = new Map<string, number>();
    const within = row ? null : line;
    for (const [name, value] of point.values) {
      if (!this.#series.has(name)) continue;
      const quantity = { value, unit: point.units.get(name) ?? null };
      const told = this.#inUnit(name, quantity);
      if (told !== null) values.set(name, told);
      if (number <= LISTED_LINES) this.#names.add([{ name, text: String(value), quantity }], number, within);
    }
    if (values.size > 0) this.#onPoint({ seconds: this.#now(), values });
  }

  #readResult(line: string, number: number, isProgress: boolean): void {
    // An object may be both progress and result.
    if (isProgress && !line.trimStart().startsWith('{')) {
      this.#summary.find(line);
      return;
    }
    const pairs = this.#summary.line(line);
    if (number > LISTED_LINES) return;
    if (pairs.length > 0) this.#names.add(pairs, number);
    else if (line.length <= LISTED_CHARACTERS) {
      this.#names.addLone(line, number);
      this.#names.add(readNumbers(line), number, line);
    }
  }

  #readSkipped(): void {
    if (this.#skipped === null) return;
    const row = this.#columns.line(this.#skipped);
    if (row) this.#summary.row(row);
    else this.#summary.find(this.#skipped);
    this.#skipped = null;
  }

  /** Converted to one unit per name, so that `980ms` and `1.1s` can be compared. */
  #inUnit(name: string, quantity: Quantity): number | null {
    const unit = this.units.get(name);
    if (unit !== undefined) return inUnit(quantity, unit);
    const plain = plainQuantity(quantity);
    if (plain.unit !== null) this.units.set(name, plain.unit);
    return plain.value;
  }
}

function wantedOf({ name, memory, require: requirements }: Contract['metric']): Wanted {
  return {
    metric: name,
    numbers: memory === null ? [name] : [name, memory],
    words: requirements.map(requirement => requirement.name),
  };
}

function formOf(line: string): string {
  let bars = 0;
  for (let at = line.indexOf('|'); at >= 0; at = line.indexOf('|', at + 1)) bars += 1;
  return `${line.slice(0, FORM_CHARACTERS)}${bars}`;
}
