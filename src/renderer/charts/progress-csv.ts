import type { ProgressRow } from '../../shared/charts/progress-model.ts';

/** Spreadsheets treat a text that begins like this as a formula. */
const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r]/;

/**
 * The rows as RFC 4180 text with CRLF. Times are ISO 8601 in UTC, missing values are empty fields, numbers are in
 * JavaScript's format. Text that a spreadsheet would run as a formula gets an apostrophe in front.
 */
export function progressCsv(rows: readonly ProgressRow[], metricName: string): string {
  const lines = [
    ['experiment', 'time', 'verdict', text(metricName), 'hypothesis'],
    ...rows.map(row => [
      String(row.n),
      Number.isFinite(row.at) ? new Date(row.at).toISOString() : '',
      row.word ?? '',
      row.metric === null ? '' : String(row.metric),
      text(row.hypothesis ?? ''),
    ]),
  ];
  return lines.map(fields => `${fields.map(quote).join(',')}\r\n`).join('');
}

function text(value: string): string {
  return LOOKS_LIKE_FORMULA.test(value) ? `'${value}` : value;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
