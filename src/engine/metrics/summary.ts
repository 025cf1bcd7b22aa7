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

/** Names of more summary values than this are dropped: a result has a dozen. */
const MAX_SUMMARY_KEYS = 256;

/** Names that are also found within other text. */
export type Wanted = {
  /** What counts: a block that has it begins the result anew; null where every block does. */
  readonly metric: string | null;
  readonly numbers: readonly string[];
  /** Names whose value may be a word. */
  readonly words: readonly string[];
};

/** What is printed in place of a number that is not there. */
const NOTHING = /^(?:n\/?a|none|null|nil|undefined|failed|error|-+)\b/i;

type Values = Map<string, Pair>;

/**
 * Collects the result as the lines go by. What is printed in two ways counts by the more deliberate one:
 *
 * 1. `METRIC name=number`.
 * 2. A line that says nothing else (`name: number`, `name = number`, an object, a row of a table, each also behind what a logger
 *    writes before it, Go's benchmarks and the rows of other reports), and, for the names that are asked for, these wherever they stand, behind a
 *    progress bar for instance. A block, which is a `---` line and the `name: number` lines behind it until a line of another
 *    form, begins the result anew where it has the metric; a later one without it adds to it.
 * 3. The names that are asked for behind another word, as in `test accuracy: 0.9`, where it is always the same word.
 *
 * Of one kind the last value counts, and a value that is no number takes back the one before.
 */
export class SummaryReader {
  readonly #wanted: Wanted;
  /** Whether pairs behind a line of dashes are of a block; `opening` until the first number shows that there is one. */
  #state: 'outside' | 'opening' | 'inside' = 'outside';
  #hasBlock = false;
  /** The last block alone, and the result with it. */
  #current: Values = new Map();
  #result: Values = new Map();
  readonly #metrics: Values = new Map();
  readonly #plain: Values = new Map();
  /** By name, with the word before it; null where there were several. */
  readonly #qualified = new Map<string, { readonly word: string; readonly pair: Pair } | null>();
  /** By unit, which benchmark has printed it; null where several have. */
  readonly #benchmarks = new Map<string, string | null>();

  readonly #reports = new ReportReader();

  constructor(wanted: Wanted = { metric: null, numbers: [], words: [] }) {
    this.#wanted = wanted;
  }

  /** @returns what the line says by itself */
  line(line: string): readonly Pair[] {
    // Upstream's rule; a longer one only parts what is printed.
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
    // What an object says is read already, nested names with their path.
    if (object === null) this.find(text);
    return pairs;
  }

  /** Looks for the wanted names anywhere on a line that is no result by itself. */
  find(line: string): void {
    const { numbers, words } = this.#wanted;
    for (const name of numbers) this.#findOne(line, name, false);
    for (const name of words) this.#findOne(line, name, true);
  }

  /** What counts, or null where nothing of the form was printed. */
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

  /** What was printed for a wanted name, as it stood; null where nothing was. */
  printed(name: string): Pair | null {
    return this.#values().get(name) ?? null;
  }

  #values(): Values {
    const values: Values = new Map([...(this.#hasBlock ? this.#result : this.#plain), ...this.#metrics]);
    for (const name of [...this.#wanted.numbers, ...this.#wanted.words]) {
      const printed = this.#metrics.get(name) ?? this.#plain.get(name) ?? this.#result.get(name);
      const pair = printed ?? this.#qualified.get(name)?.pair;
      if (pair) values.set(name, pair);
    }
    return values;
  }

  #begins({ name, quantity }: Pair): boolean {
    return quantity !== null || name === this.#wanted.metric;
  }

  /** What was printed before a block is not the result. */
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
    // A new result: a value that only an earlier one has is stale.
    if (metric === null ? isNew : pair.name === metric) {
      this.#result = new Map(this.#current);
      this.#metrics.clear();
    }
    this.#set(this.#result, pair);
  }

  #keep(pairs: readonly Pair[]): readonly Pair[] {
    // `shard 000: 27 bytes`: what has several words is a sentence of the training's more often than a result.
    for (const pair of pairs)
      if (!pair.name.includes(' ') || this.#isWanted(pair.name)) this.#set(this.#plain, pair);
    return pairs;
  }

  /** Each value of a row by `BenchmarkName unit`, and by its unit alone as long as that names one row. */
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
    const { qualifier, ...pair } = found;
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
    // Of what is wanted it stays known that it was taken back.
    if (pair.quantity === null && !this.#isWanted(pair.name)) target.delete(pair.name);
    else if (target.size < MAX_SUMMARY_KEYS || target.has(pair.name)) target.set(pair.name, pair);
  }
}
