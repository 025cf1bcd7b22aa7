import { PawlError } from '../../shared/errors.ts';
import type { Skipped } from '../../shared/imports.ts';

/** A row of a file as it stood, before anybody asked what it means. */
export type RawRow = {
  /** From 1; of a field that spans several lines, the first. */
  readonly line: number;
  /** Under the table's columns; a column the row lacks has an empty field. */
  readonly fields: readonly string[];
  /** Fields that stood in the row itself. */
  readonly count: number;
};

/** A file of results as rows under headings. */
export type RawTable = {
  readonly columns: readonly string[];
  /** From 1. */
  readonly headingLine: number;
  readonly rows: readonly RawRow[];
  readonly skipped: readonly Skipped[];
  /** What the file says of itself, beside its rows. */
  readonly told: {
    /** Lines that are no rows: comments before the heading. */
    readonly comments: readonly string[];
    /** What it says a column "metric" holds; several where it measured one after another. */
    readonly metricNames: readonly string[];
    readonly goal: 'minimize' | 'maximize' | null;
    /** Where its verdicts stand, where that needs no looking for. */
    readonly verdictColumn: number | null;
  };
};

/** More rows than a table has that people look at; beyond them the file is refused. */
export const MAX_ROWS = 200_000;
/** More columns than a table has that somebody reads. */
export const MAX_COLUMNS = 256;
/** Empty ones count as well: each row is kept with a field for each column. */
const MAX_CELLS = 5_000_000;

/** Throws `import_invalid`. */
export function refuseTooManyCells(rows: number, columns: number): void {
  if (rows * columns <= MAX_CELLS) return;
  throw new PawlError(
    'import_invalid',
    `The table has more than ${MAX_CELLS} fields: ${rows} rows or more with ${columns} columns.`,
  );
}

/** A heading as it is compared: without case, marks and what stands in brackets behind it. */
export function plainHeading(heading: string): string {
  return heading
    .replace(/[*`"↑↓⬆⬇]/g, '')
    .replace(/[([][^()[\]]*[)\]]\s*$/, '')
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
}

export function byLine(a: Skipped, b: Skipped): number {
  return (a.line ?? 0) - (b.line ?? 0);
}
