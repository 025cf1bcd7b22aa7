import { type Column, CURVE, type Row, type Value } from './table-columns.ts';

/** A spreadsheet takes a text that begins like this for a formula. */
const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r]/;

/**
 * The rows and columns that are shown, in their order, under their names. Numbers are as JavaScript writes them, with every digit;
 * what is absent is an empty field. Text that a spreadsheet would run as a formula gets an apostrophe in front.
 */
function fieldsOf(rows: readonly Row[], columns: readonly Column[]): readonly (readonly string[])[] {
  // A curve is no text.
  const told = columns.filter(({ id }) => id !== CURVE);
  return [told.map(({ id }) => plain(id)), ...rows.map(row => told.map(({ value }) => plain(value(row))))];
}

function plain(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  return LOOKS_LIKE_FORMULA.test(value) ? `'${value}` : value;
}

/** RFC 4180 with CRLF. */
export function tableCsv(rows: readonly Row[], columns: readonly Column[]): string {
  const quote = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return fieldsOf(rows, columns)
    .map(fields => `${fields.map(quote).join(',')}\r\n`)
    .join('');
}

/** The format spreadsheets take from the clipboard: a tab or line break in a field would begin another one. */
export function tableTsv(rows: readonly Row[], columns: readonly Column[]): string {
  return fieldsOf(rows, columns)
    .map(fields => fields.map(field => field.replaceAll(/[\t\r\n]+/g, ' ')).join('\t'))
    .join('\n');
}
