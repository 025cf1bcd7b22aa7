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
/** The heading of scikit-learn's classification_report. */
const CLASSES = /^\s+precision\s+recall\s+f1-score\s+support\s*$/;
const COLUMNS = ['precision', 'recall', 'f1-score', 'support'];
const CLASS = /^\s{0,64}(\S.{0,62}?)\s{2,64}(\d[\d.]{0,24}(?:\s{1,32}\d[\d.]{0,24}){0,3})\s{0,8}$/;

/** Reads reports whose lines need their context: remembers the heading and the previous line. */
export class ReportReader {
  /** The line before: criterion puts a long name there. */
  #before = '';
  /** The benchmark that criterion printed last. */
  #estimated = '';
  #isOfClasses = false;

  /** Null for a line of no such report. */
  line(text: string): ReportRow | null {
    const before = this.#before;
    this.#before = text.trim();
    if (CLASSES.test(text)) {
      this.#isOfClasses = true;
      return { name: null, pairs: [] };
    }
    const row = this.#isOfClasses ? readClass(text) : null;
    if (row !== null) return row;
    this.#isOfClasses = false;
    return readDotted(text) ?? this.#estimate(text, before);
  }

  #estimate(text: string, before: string): ReportRow | null {
    const [, own = '', what = '', middle = ''] = ESTIMATE.exec(text) ?? [];
    if (what === '') return null;
    if (what === 'time') this.#estimated = own.trim() === '' ? before : own.trim();
    return { name: this.#estimated.slice(0, 64), pairs: [pairOf(what, middle)] };
  }
}

function readDotted(text: string): ReportRow | null {
  const [, name = '', rest = ''] = DOTTED.exec(text) ?? [];
  if (name === '') return null;
  const pairs = [...rest.slice(0, 400).matchAll(DOTTED_VALUE)].map(([, key = '', value = '']) =>
    pairOf(key, value),
  );
  return pairs.length > 0 ? { name, pairs } : null;
}

/** A class with its four numbers. The accuracy of all classes has only one number, and their count. */
function readClass(text: string): ReportRow | null {
  const [, name = '', numbers = ''] = CLASS.exec(text) ?? [];
  const values = numbers.split(/\s+/).filter(Boolean);
  if (values.length === 2) return { name: null, pairs: [pairOf(name, values[0] ?? '')] };
  if (values.length !== COLUMNS.length) return null;
  return { name, pairs: values.map((value, column) => pairOf(COLUMNS[column] ?? '', value)) };
}
