import { type Pair, pairOf } from './pairs.ts';

/** A name or a value, and where it stands on its line. */
type Cell = { readonly text: string; readonly from: number; readonly to: number };

/** More columns than this are no table of results. */
const MAX_COLUMNS = 64;
const MAX_CHARACTERS = 1_000;
const TAB_COLUMNS = 8;
/** The first column of a heading counts, and a name follows, not the number of a line of progress. */
const HEADING = /^[\s|│┃]{0,16}(?:epoch|step|iter|iteration|round)(?=[\s|│┃]{1,99}[\p{L}_])/iu;
const NAME = /^[\p{L}_][^:=]{0,63}$/u;
const ROW = /^[\s|│┃]{0,16}\d/;
/** What stands behind a row that is the description of a bar. */
const BAR_BEHIND = /:\s{1,8}\d{1,3}%\s.*$/;
/** Names may contain single spaces, if two separate the columns. */
const APART = /\S+(?: \S+)*/g;
const WORDS = /\S+/g;
/** A number that is not of its column: `20    val 5.512    0.01s`, as mlx-lm prints an evaluation. */
const NAMED = /^([\p{L}_][\w./-]{0,40}) ([-+]?\.?\d\S{0,30})$/u;
const COUNT = /^(\d{1,9})(?:\/\d{1,9})?$/;

/**
 * Reads tables that trainings print row by row, below a heading that begins with a counter: `epoch  train_loss  dur`.
 * Formats: fastai, skorch, scikit-learn's boosting, bayesian-optimization, Ultralytics.
 */
export class ColumnReader {
  #columns: readonly Cell[] = [];

  /** The numbers of a row under the names of its columns, the counter first; null for any other line. */
  line(line: string): readonly Pair[] | null {
    if (line.length > MAX_CHARACTERS) return null;
    if (HEADING.test(line)) this.#columns = readHeading(line) ?? this.#columns;
    else if (this.#columns.length > 0 && ROW.test(line)) {
      return this.#row(plainOf(line.replace(BAR_BEHIND, '')));
    }
    return null;
  }

  #row(line: string): readonly Pair[] | null {
    const apart = cellsOf(line, APART);
    const cells = apart.length === this.#columns.length ? apart : cellsOf(line, WORDS);
    const owners = this.#owners(cells);
    const [counter, first] = [this.#columns[0], cells[0]];
    const count = COUNT.exec(first?.text ?? '')?.[1];
    if (!counter || count === undefined) return null;
    const named = apart.flatMap(({ text }) => {
      const [, name, value] = NAMED.exec(text) ?? [];
      return name === undefined || value === undefined ? [] : [pairOf(name, value)];
    });
    if (named.length > 0) return [pairOf(counter.text.toLowerCase(), count), ...named];
    if (!owners || counter !== owners[0]) return null;
    const values = owners.slice(1).map((owner, index) => pairOf(owner.text, cells[index + 1]?.text ?? ''));
    const numbers = values.filter(({ quantity }) => quantity !== null).length;
    if (numbers === 0 || numbers < values.length / 2) return null;
    return [pairOf(counter.text.toLowerCase(), count), ...values];
  }

  /** The column of each cell. Where some are empty, it is the one above the cell; null if that is not clear. */
  #owners(cells: readonly Cell[]): readonly Cell[] | null {
    if (cells.length === this.#columns.length) return this.#columns;
    const owners = cells.map(({ from, to }) => {
      const above = this.#columns.filter(column => column.from < to && from < column.to);
      return above.length === 1 ? above[0] : undefined;
    });
    const found = owners.filter(owner => owner !== undefined);
    return found.length === cells.length && new Set(found).size === found.length ? found : null;
  }
}

/** Names may contain single spaces (`Train Loss`), unless nothing else separates the columns. */
function readHeading(line: string): readonly Cell[] | null {
  const plain = plainOf(line);
  const apart = cellsOf(plain, APART);
  const cells = apart.length > 1 ? apart : cellsOf(plain, WORDS);
  // Two words are more often a message.
  const isTable = cells.length > (apart.length > 1 ? 1 : 2) && cells.length <= MAX_COLUMNS;
  return isTable && cells.every(({ text }) => NAME.test(text)) ? cells : null;
}

/** Without bars, and with tabs as spaces. */
function plainOf(line: string): string {
  const stops = line.replaceAll(/[|│┃]/g, ' ').split('\t');
  const wide = (text: string) => text.padEnd(TAB_COLUMNS * (Math.floor(text.length / TAB_COLUMNS) + 1));
  return stops.map((text, index) => (index < stops.length - 1 ? wide(text) : text)).join('');
}

function cellsOf(plain: string, form: RegExp): readonly Cell[] {
  return [...plain.matchAll(form)].map(({ 0: text, index }) => ({
    ...{ text, from: index, to: index + text.length },
  }));
}
