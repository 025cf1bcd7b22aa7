import type { Quantity } from './number.ts';
import {
  findNamed,
  type Pair,
  readAlone,
  readBenchmark,
  readMetricLine,
  readObject,
  readTableRow,
  withoutLogPrefix,
} from './pairs.ts';
import { ReportReader, type ReportRow } from './report-rows.ts';

/** If there are more names than this, the rest is dropped: a result has a dozen. */
const MAX_SUMMARY_KEYS = 256;

/** Names that are also searched inside other text. */
export type Wanted = {
  /** The metric's name: a block that contains it starts a new result; null if every block does. */
  readonly metric: string | null;
  readonly numbers: readonly string[];
  /** Names whose value may also be a word. */
  readonly words: readonly string[];
};

/** Words that are printed in place of a missing number. */
const NOTHING = /^(?:n\/?a|none|null|nil|undefined|failed|error|-+)\b/i;

/** What a tracker says about a run: at the end, the last numbers that it was given, some of them rounded. */
const TRACKER = /^(?:wandb|COMET (?:INFO|WARNING)): /;

/** A line about one part of a cross-validation. */
const FOLD = /^\W{0,8}fold\b[\s:=#[(]{0,4}\d/i;

type Values = Map<string, Pair>;

/**
 * Collects the result line by line. If a name is printed in several ways, the most deliberate one counts:
 *
 * 1. `METRIC name=number`.
 * 2. A line that contains nothing else: `name: number`, `name = number`, an object, a row of a table (each also after a
 *    logger's prefix), Go's benchmarks and the rows of other reports. The wanted names also count anywhere on a line, for
 *    instance after a progress bar. A block is a `---` line followed by `name: number` lines. If it contains the metric, it
 *    starts a new result; otherwise it adds to the last one.
 * 3. The wanted names after a qualifying word, as in `test accuracy: 0.9`, or about a fold of a cross-validation (`Fold 3 |
 *    RMSE: 0.5`), if it is always the same word.
 * 4. The wanted names in the lines of a tracker (`wandb: accuracy 0.9`).
 *
 * Within one kind, the last value counts, and a value that is not a number cancels the one before.
 */
export class SummaryReader {
  readonly #wanted: Wanted;
  /** Whether lines after a `---` line belong to a block; `opening` until the first number shows that it is one. */
  #state: 'outside' | 'opening' | 'inside' = 'outside';
  #hasBlock = false;
  /** Only the last block; `#result` also has what earlier blocks said. */
  #current: Values = new Map();
  #result: Values = new Map();
  readonly #metrics: Values = new Map();
  readonly #plain: Values = new Map();
  /** By name, with the word before it; null if there were different words. */
  readonly #qualified = new Map<string, { readonly word: string; readonly pair: Pair } | null>();
  readonly #tracked: Values = new Map();
  /** By unit, the benchmark that printed it; null if several have. */
  readonly #benchmarks = new Map<string, string | null>();

  readonly #reports = new ReportReader();

  constructor(wanted: Wanted = { metric: null, numbers: [], words: [] }) {
    this.#wanted = wanted;
  }

  /** @returns the pairs that the line itself states */
  line(line: string): readonly Pair[] {
    // Only upstream's `---` counts; longer rules just separate output.
    if (/^\s{0,16}---\s*$/.test(line)) {
      this.#state = 'opening';
      return [];
    }
    const metric = readMetricLine(line);
    if (metric) {
      this.#set(this.#metrics, metric);
      return [metric];
    }
    if (line.trim() === '') return [];
    const text = withoutLogPrefix(line);
    const reported = this.#reports.line(text);
    if (reported) {
      this.#state = 'outside';
      return this.#keep(this.#byColumn(reported));
    }
    const alone = readAlone(text);
    if (alone && (this.#state === 'inside' || (this.#state === 'opening' && this.#begins(alone)))) {
      this.#addToBlock(alone);
      this.find(text);
      return [alone];
    }
    if (!alone) this.#state = 'outside';
    const row = readTableRow(text);
    const object = readObject(text);
    const benchmark = object || row || alone ? null : readBenchmark(text);
    const pairs = object ?? (row ? [row] : alone ? [alone] : benchmark ? this.#byColumn(benchmark) : []);
    this.#keep(pairs);
    // An object's names are already read, nested ones with their path.
    if (object === null) this.find(text);
    return pairs;
  }

  /** Takes a row of a table under the names of its columns. */
  row(pairs: readonly Pair[]): void {
    this.#state = 'outside';
    this.#keep(pairs);
  }

  /** Looks for the wanted names anywhere on a line that is not itself a result. */
  find(line: string): void {
    const { numbers, words } = this.#wanted;
    for (const name of numbers) this.#findOne(line, name, false);
    for (const name of words) this.#findOne(line, name, true);
  }

  /** The result, or null if none was printed. */
  result(): ReadonlyMap<string, Quantity> | null {
    const found = new Map<string, Quantity>();
    for (const [name, { quantity }] of this.#values()) {
      if (quantity !== null && found.size < MAX_SUMMARY_KEYS) found.set(name, quantity);
    }
    return found.size === 0 ? null : found;
  }

  get hasBlock(): boolean {
    return this.#hasBlock;
  }

  /** What was printed for a wanted name, as text; null if nothing was. */
  printed(name: string): Pair | null {
    return this.#values().get(name) ?? null;
  }

  #values(): Values {
    const values: Values = new Map([...(this.#hasBlock ? this.#result : this.#plain), ...this.#metrics]);
    for (const name of [...this.#wanted.numbers, ...this.#wanted.words]) {
      const printed = this.#metrics.get(name) ?? this.#plain.get(name) ?? this.#result.get(name);
      const pair = printed ?? this.#qualified.get(name)?.pair ?? this.#tracked.get(name);
      if (pair) values.set(name, pair);
    }
    return values;
  }

  #begins({ name, quantity }: Pair): boolean {
    return quantity !== null || name === this.#wanted.metric;
  }

  /** Values printed before a block are not the result. */
  #open(): void {
    this.#current = new Map();
    for (const name of this.#wanted.numbers) {
      this.#plain.delete(name);
      this.#qualified.delete(name);
    }
  }

  #addToBlock(pair: Pair): void {
    const { metric } = this.#wanted;
    const isNew = this.#state === 'opening';
    if (isNew) this.#open();
    this.#state = 'inside';
    this.#hasBlock = true;
    this.#set(this.#current, pair);
    // A new result: values that only an earlier one has are stale.
    if (metric === null ? isNew : pair.name === metric) {
      this.#result = new Map(this.#current);
      this.#metrics.clear();
    }
    this.#set(this.#result, pair);
  }

  #keep(pairs: readonly Pair[]): readonly Pair[] {
    // `shard 000: 27 bytes`: a name of several words is more often a message than a result.
    for (const pair of pairs)
      if (!pair.name.includes(' ') || this.#isWanted(pair.name)) this.#set(this.#plain, pair);
    return pairs;
  }

  /** Names each value of a row `BenchmarkName unit`, and also by its unit alone while only one row has it. */
  #byColumn({ name, pairs }: ReportRow): readonly Pair[] {
    if (name === null) return pairs;
    const told: Pair[] = [];
    for (const pair of pairs) {
      const owner: string | null =
        this.#benchmarks.get(pair.name) ?? (this.#benchmarks.has(pair.name) ? null : name);
      this.#benchmarks.set(pair.name, owner === name ? name : null);
      if (owner === name) told.push(pair);
      else this.#plain.delete(pair.name);
      told.push({ ...pair, name: `${name} ${pair.name}` });
    }
    return told;
  }

  #findOne(line: string, name: string, isWord: boolean): void {
    if (!line.includes(name)) return;
    const found = findNamed(line, name);
    if (!found || (found.quantity === null && !isWord && !NOTHING.test(found.text))) return;
    const { qualifier: word, ...pair } = found;
    const qualifier = word ?? (FOLD.test(line) ? 'fold' : null);
    if (TRACKER.test(line)) {
      this.#set(this.#tracked, pair);
      return;
    }
    if (qualifier === null) {
      this.#set(this.#plain, pair);
      return;
    }
    const before = this.#qualified.get(name);
    const isSame = before === undefined || before?.word === qualifier;
    this.#qualified.set(name, isSame ? { word: qualifier, pair } : null);
  }

  #isWanted(name: string): boolean {
    return this.#wanted.numbers.includes(name) || this.#wanted.words.includes(name);
  }

  #set(target: Values, pair: Pair): void {
    // For wanted names, the cancelled value is remembered.
    if (pair.quantity === null && !this.#isWanted(pair.name)) target.delete(pair.name);
    else if (target.size < MAX_SUMMARY_KEYS || target.has(pair.name)) target.set(pair.name, pair);
  }
}
