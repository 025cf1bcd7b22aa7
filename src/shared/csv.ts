/** One field of a table; null or undefined is an empty one. */
export type Field = string | number | boolean | null | undefined;

/** Spreadsheets take a text that begins like this for a formula, and a model may have written it. */
const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r]/;

/** The field as text, numbers in JavaScript's format. A text that a spreadsheet would compute gets an apostrophe in front. */
export function toField(value: Field): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  const isFormula = typeof value === 'string' && LOOKS_LIKE_FORMULA.test(text) && Number.isNaN(Number(text));
  return isFormula ? `'${text}` : text;
}

/** The rows as RFC 4180 text, each ended by CRLF. */
export function toCsv(rows: readonly (readonly Field[])[]): string {
  return rows.map(fields => `${fields.map(value => quote(toField(value))).join(',')}\r\n`).join('');
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
