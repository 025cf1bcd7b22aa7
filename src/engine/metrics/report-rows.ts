import { type Pair, pairOf } from './pairs.ts';

/**
 * A row of a report with several numbers, each named by its column; without a row name if the number is the only one
 * of its kind.
 */
export type ReportRow = { readonly name: string | null; readonly pairs: readonly Pair[] };

/** `http_req_duration....: avg=101ms p(95)=212ms`, as k6 prints its metrics. */
const DOTTED = /^\s{0,16}(\S.{0,80}?)\.{2,64}:\s{1,16}(\S.*)$/;
const DOTTED_VALUE = /([\w()]{1,16})=(\S{1,24})/g;
/** `encode/short  time:   [22.25 ns 22.31 ns 22.39 ns]`: criterion prints an estimate between its bounds. */
const ESTIMATE =
  /^(.{0,200}?)\s{0,200}\b(time|thrpt):\s{1,8}\[\S{1,24} \S{1,16} (\S{1,24} \S{1,16}) \S{1,24} \S{1,16}\]/;
/** `sort x 2,631,688 ops/sec ±1.11% (87 runs sampled)`, as benchmark.js prints each benchmark. */
const OPERATIONS =
  /^\s{0,16}(\S.{0,200}?) x (\d[\d,.]{0,24} ops\/sec) ±[\d.]{1,8}% \(\d{1,9} runs? sampled\)/;
/** A row of `console.table`, which tinybench uses too: the heading's first cell is `(index)`. */
const CELLS = /^[│|]\s{1,64}(\S.{0,2000}?)\s{0,64}[│|]\s*$/;
/** The heading of scikit-learn's classification_report. */
const CLASSES = /^\s+precision\s+recall\s+f1-score\s+support\s*$/;
/** Ultralytics' heading, before a bar; its first column is the class: `Class Images Box(P R mAP50): 100% ━━━`. */
const DETECTIONS = /^\s{1,64}Class\s+(Images\s.{1,200}?)\)?\s*(?::\s.*)?$/;
const CLASS = /^\s{0,64}(\S.{0,62}?)\s{2,64}(\d[\d.e-]{0,24}(?:\s{1,32}\d[\d.e-]{0,24}){0,15})\s{0,8}$/;

/** Reads reports whose lines need their context: remembers the heading and the previous line. */
export class ReportReader {
  /** The line before: criterion puts a long name there. */
  #before = '';
  /** The benchmark that criterion printed last. */
  #estimated = '';
  /** The names of a class's numbers; none outside such a report. */
  #columns: readonly string[] = [];
  /** The columns of a table that `console.table` draws; none outside it. */
  #tableColumns: readonly string[] = [];

  /** Null for a line of no such report. */
  line(text: string): ReportRow | null {
    const before = this.#before;
    this.#before = text.trim();
    const row = this.#table(text) ?? readOperations(text);
    if (row !== null) return row;
    const columns = columnsOf(text);
    if (columns !== null) {
      this.#columns = columns;
      return { name: null, pairs: [] };
    }
    const one = readClass(text, this.#columns);
    if (one !== null) return one;
    this.#columns = [];
    return readDotted(text) ?? this.#estimate(text, before);
  }

  #table(text: string): ReportRow | null {
    const cells = CELLS.exec(text)?.[1]?.split(/\s*[│|]\s*/) ?? [];
    const [index = '', ...values] = cells;
    if (index === '(index)') {
      this.#tableColumns = values;
      return { name: null, pairs: [] };
    }
    // A rule between the rows.
    if (text.startsWith('├')) return null;
    if (values.length === 0 || values.length !== this.#tableColumns.length) {
      this.#tableColumns = [];
      return null;
    }
    const word = /^\d+$/.test(index) ? values.find(value => /^'[^']*\p{L}/u.test(value)) : index;
    const pairs = values.map((value, column) => pairOf(this.#tableColumns[column] ?? '', value));
    return {
      name: word?.replaceAll("'", '') ?? null,
      pairs: pairs.filter(({ quantity }) => quantity !== null),
    };
  }

  #estimate(text: string, before: string): ReportRow | null {
    const [, own = '', what = '', middle = ''] = ESTIMATE.exec(text) ?? [];
    if (what === '') return null;
    if (what === 'time') this.#estimated = own.trim() === '' ? before : own.trim();
    return { name: this.#estimated.slice(0, 64), pairs: [pairOf(what, middle)] };
  }
}

function readOperations(text: string): ReportRow | null {
  const [, name = '', value = ''] = (text.includes(' ops/sec ') && OPERATIONS.exec(text)) || [];
  return name === '' ? null : { name: name.slice(0, 48), pairs: [pairOf('ops/sec', value)] };
}

function readDotted(text: string): ReportRow | null {
  const [, name = '', rest = ''] = DOTTED.exec(text) ?? [];
  if (name === '') return null;
  const pairs = [...rest.slice(0, 400).matchAll(DOTTED_VALUE)].map(([, key = '', value = '']) =>
    pairOf(key, value),
  );
  return pairs.length > 0 ? { name, pairs } : null;
}

/** The columns of a heading; none if two have one name, as of boxes and of masks; null for any other line. */
function columnsOf(text: string): readonly string[] | null {
  const heading = CLASSES.test(text) ? text : DETECTIONS.exec(text)?.[1];
  if (heading === undefined) return null;
  const columns = heading.trim().split(/\s+/);
  return new Set(columns).size === columns.length ? columns : [];
}

/** A class with its numbers. The accuracy of all classes has only one number, and their count. */
function readClass(text: string, columns: readonly string[]): ReportRow | null {
  const [, name = '', numbers = ''] = columns.length > 0 ? (CLASS.exec(text) ?? []) : [];
  const values = numbers.split(/\s+/).filter(Boolean);
  if (values.length === 2) return { name: null, pairs: [pairOf(name, values[0] ?? '')] };
  if (values.length !== columns.length || values.length === 0) return null;
  return { name, pairs: values.map((value, column) => pairOf(columns[column] ?? '', value)) };
}
