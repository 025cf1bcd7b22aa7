import { type Field, toCsv, toField } from '../../../shared/csv.ts';
import { counted, formatNumber } from '../../../shared/numbers.ts';
import { isTried } from '../../../shared/tried.ts';
import { type Column, CURVE, type Row } from './table-columns.ts';

/** The rows and columns that are shown, in their order, under their names. */
function fieldsOf(rows: readonly Row[], columns: readonly Column[]): readonly (readonly Field[])[] {
  // A curve is no text.
  const told = columns.filter(({ id }) => id !== CURVE);
  return [told.map(({ id }) => id), ...rows.map(row => told.map(({ value }) => value(row)))];
}

export function tableCsv(rows: readonly Row[], columns: readonly Column[]): string {
  return toCsv(fieldsOf(rows, columns));
}

/** The format spreadsheets take from the clipboard: a tab or line break in a field would begin another one. */
export function tableTsv(rows: readonly Row[], columns: readonly Column[]): string {
  return fieldsOf(rows, columns)
    .map(fields => fields.map(field => toField(field).replaceAll(/[\t\r\n]+/g, ' ')).join('\t'))
    .join('\n');
}

/** `the baseline and 3 experiments, 2 kept`: the baseline was not tried, so it counts as neither. */
export function countRows(rows: readonly Row[], isImported: boolean): string {
  const tried = rows.filter(({ cell }) => isTried(cell, isImported));
  const kept = tried.filter(({ cell }) => cell.verdict?.word === 'keep').length;
  return [
    ...(tried.length < rows.length ? ['the baseline'] : []),
    ...(tried.length > 0 ? [`${counted(tried.length, 'experiment')}, ${formatNumber(kept)} kept`] : []),
  ].join(' and ');
}
