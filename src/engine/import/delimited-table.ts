import type { Skipped } from '../../shared/imports.ts';
import { isResultHeading } from './column-roles.ts';
import {
  MAX_COLUMNS,
  MAX_ROWS,
  plainHeading,
  type RawRow,
  type RawTable,
  refuseTooManyCells,
} from './raw-table.ts';
import { readNumber } from './read-number.ts';
import { DELIMITERS, type Delimiter, splitLine } from './split-line.ts';
import { isVerdictHeading, readVerdict } from './verdict-words.ts';

/** A heading is near the top; if these lines have none, the file is something else. */
const HEADING_LINES = 100;
/** A quoted field of more lines was never closed. */
const MAX_FIELD_LINES = 20;
/** In a file with more unclosed quotes than this, quotes mean something else. */
const MAX_OPEN_QUOTES = 100;

type Heading = {
  readonly delimiter: Delimiter;
  readonly names: readonly string[];
  /** The index of each of its columns in the table; null for one that did not fit. */
  readonly places: readonly (number | null)[];
};

/**
 * Rows under a heading: separated by tabs, commas, semicolons, bars (Markdown) or spaces. People and agents also
 * write comments, notes between rows, repeated headings and another heading further down. Null if no line is a
 * heading. Throws `import_invalid` for too many fields.
 */
export function readDelimitedTable(text: string): RawTable | null {
  const lines = text.split(/\r\n|\n|\r/);
  const first = findHeading(lines);
  if (!first) return null;
  const columns = new Columns();
  const rows: RawRow[] = [];
  const skipped: Skipped[] = [];
  const skip = (index: number, reason: string) => skipped.push({ line: index + 1, reason });
  for (const index of lines.slice(0, first.index).keys()) {
    const line = lines[index]?.trim() ?? '';
    if (line !== '' && !line.startsWith('#') && !isRule(line)) skip(index, 'is before the header.');
  }
  let heading = columns.place(first);
  let openQuotes = 0;
  let isFull = false;
  for (let index = first.index + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line.trim() === '' || isRule(line)) continue;
    const again = hasVerdict(line, heading) ? null : headingOf(line);
    if (again) {
      heading = columns.place(again);
      if (heading.places.includes(null) && !isFull) {
        isFull = true;
        skip(index, `has columns beyond the first ${MAX_COLUMNS}; they were not read.`);
      }
      continue;
    }
    if (line.trimStart().startsWith('#') && !hasVerdict(line, heading)) continue;
    const row = splitRow(lines, index, heading, openQuotes < MAX_OPEN_QUOTES);
    if (typeof row === 'string') {
      if (row === OPEN_QUOTE) openQuotes += 1;
      skip(index, row);
      continue;
    }
    if (rows.length >= MAX_ROWS) {
      skip(index, `comes after ${MAX_ROWS} rows; the rest was not read.`);
      break;
    }
    refuseTooManyCells(rows.length + 1, columns.names.length);
    const fields = columns.names.map(() => '');
    for (const [place, column] of heading.places.entries()) {
      if (column !== null) fields[column] = row.fields[place] ?? '';
    }
    rows.push({ line: index + 1, fields, count: row.count });
    index = row.last;
  }
  refuseTooManyCells(rows.length, columns.names.length);
  return {
    columns: columns.names,
    headingLine: first.index + 1,
    rows: rows.map(row => pad(row, columns.names.length)),
    skipped,
    told: {
      comments: lines
        .slice(0, first.index)
        .filter(line => line.trimStart().startsWith('#'))
        .map(line => line.trim().replace(/^#+\s*/, '')),
      metricNames: [],
      goal: null,
      verdictColumn: null,
    },
  };
}

function findHeading(lines: readonly string[]) {
  for (const [index, line] of lines.slice(0, HEADING_LINES).entries()) {
    const heading = headingOf(line);
    if (heading) return { ...heading, index };
  }
  // Results without verdicts have their heading in the first line.
  const index = lines.findIndex(line => line.trim() !== '' && !line.startsWith('#'));
  const heading = headingOf(lines[index] ?? '', isResultHeading);
  return heading && heading.delimiter !== 'spaces' && heading.names.length >= 3
    ? { ...heading, index }
    : null;
}

/** Names without a number among them, one of which is typical of results, such as a verdict's. */
function headingOf(
  line: string,
  isHeading: (name: string) => boolean = isVerdictHeading,
): Pick<Heading, 'delimiter' | 'names'> | null {
  const bare = writtenTabs(line.replace(/^\s*#\s*(?=\S)/, ''));
  if (bare.length > 16_384) return null;
  for (const delimiter of DELIMITERS) {
    // A field between tabs may contain any other delimiter.
    if (delimiter !== '\t' && bare.split('\t', 3).length > 2) continue;
    const names = splitLine(bare, delimiter, Number.POSITIVE_INFINITY)?.slice(0, MAX_COLUMNS + 1) ?? [];
    if (names.length < 2 || names.length > MAX_COLUMNS) continue;
    if (line.trimStart().startsWith('#') && names.length < 3) continue;
    const plain = names.map(plainHeading);
    if (!plain.some(isHeading) || plain.some(name => readNumber(name).kind === 'number')) continue;
    // Neither prose nor a row whose description is one of these words is a heading.
    if (delimiter === 'spaces' && !plain.every(name => /^[\p{L}\p{N}_.@%/#?-]{1,64}$/u.test(name))) continue;
    if (new Set(plain).size < 2 || plain.filter(name => name !== '').length < 2) continue;
    return { delimiter, names };
  }
  return null;
}

/** The columns of all headings in a file. */
class Columns {
  readonly names: string[] = [];
  readonly #places = new Map<string, number[]>();

  /** Assigns each column its index in the table; a column whose name exists already, in order, reuses that one's. */
  place({ delimiter, names }: Pick<Heading, 'delimiter' | 'names'>): Heading {
    const taken = new Map<string, number>();
    const places = names.map(name => {
      const plain = plainHeading(name);
      const nth = taken.get(plain) ?? 0;
      taken.set(plain, nth + 1);
      const known = this.#places.get(plain) ?? [];
      if (known[nth] !== undefined) return known[nth];
      if (this.names.length >= MAX_COLUMNS) return null;
      const place = this.names.push(name) - 1;
      this.#places.set(plain, [...known, place]);
      return place;
    });
    return { delimiter, names, places };
  }
}

/** Rows above a heading that adds columns have fewer fields. */
function pad(row: RawRow, columns: number): RawRow {
  const missing = columns - row.fields.length;
  return missing === 0 ? row : { ...row, fields: [...row.fields, ...Array<string>(missing).fill('')] };
}

/** The rule below a Markdown heading, or a drawn one. */
function isRule(line: string): boolean {
  return /^[\s|:+=_*-]+$/.test(line) && /[-=_*]{3}/.test(line);
}

const OPEN_QUOTE = 'a quote is opened but not closed.';

type SplitRow = { readonly fields: readonly string[]; readonly count: number; readonly last: number };

/** A row's fields, or why it is not a row. */
function splitRow(
  lines: readonly string[],
  index: number,
  heading: Heading,
  canJoin: boolean,
): SplitRow | string {
  const { delimiter, names } = heading;
  let line = lines[index] ?? '';
  let last = index;
  let fields = splitLine(line, delimiter, names.length);
  const end = Math.min(lines.length - 1, index + (canJoin ? MAX_FIELD_LINES : 0));
  while (fields === null && last < end) {
    last += 1;
    line += `\n${lines[last]}`;
    fields = splitLine(line, delimiter, names.length, true);
  }
  if (fields === null) return OPEN_QUOTE;
  if (fields.length < names.length && delimiter === '\t') fields = mendTabs(line, heading) ?? fields;
  if (fields.length === 1) return 'is a note, not a row.';
  const verdict = names.findIndex(name => isVerdictHeading(plainHeading(name)));
  if (
    fields.length < names.length &&
    verdict >= 0 &&
    (fields.length <= verdict || !hasKnownVerdict(fields, heading))
  ) {
    return `${fields.length} fields, but the header has ${names.length}.`;
  }
  // Text after the last column belongs to it: a tab or a comma in a description.
  const joint = delimiter === 'spaces' || delimiter === '|' ? ' ' : delimiter;
  const rest = fields.slice(names.length - 1).join(joint);
  if (fields.length > names.length && verdict >= 0 && !hasKnownVerdict(fields, heading)) {
    return `${fields.length} fields, but the header has ${names.length}.`;
  }
  return {
    fields: fields.length < names.length ? fields : [...fields.slice(0, names.length - 1), rest],
    count: fields.length,
    last,
  };
}

/** The two characters `\\t` in place of a tab, as a shell writes them. */
function writtenTabs(line: string): string {
  return line.includes('\t') ? line : line.replaceAll('\\t', '\t');
}

/** A row that uses the two characters `\t`, or spaces, below a heading with tabs. */
function mendTabs(line: string, heading: Heading): readonly string[] | null {
  const written = writtenTabs(line).split('\t');
  if (written.length >= heading.names.length) return written;
  if (line.includes('\t')) return null;
  for (const delimiter of ['spaces', ','] as const) {
    const fields = splitLine(line, delimiter, heading.names.length);
    if (fields && fields.length >= heading.names.length && hasKnownVerdict(fields, heading)) return fields;
  }
  return null;
}

/** Whether the verdict's column contains a known verdict: then the row is not shifted. */
function hasKnownVerdict(fields: readonly string[], { names }: Heading): boolean {
  return names.some((name, place) => {
    const heading = plainHeading(name);
    if (!isVerdictHeading(heading)) return false;
    const verdict = readVerdict(fields[place] ?? '', heading);
    return verdict !== null && verdict.word !== 'other';
  });
}

function hasVerdict(line: string, heading: Heading): boolean {
  const fields = splitLine(line, heading.delimiter, heading.names.length);
  return fields !== null && fields.length >= heading.names.length && hasKnownVerdict(fields, heading);
}
