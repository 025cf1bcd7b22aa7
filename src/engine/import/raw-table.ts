import { PawlError } from '../../shared/errors.ts';
import type { Skipped } from '../../shared/imports.ts';

/** A row of a file before it is interpreted. */
export type RawRow = {
  /** From 1; the first line if a field spans several. */
  readonly line: number;
  /** One per column of the table; empty if the row lacks it. */
  readonly fields: readonly string[];
  /** How many fields the row itself has. */
  readonly count: number;
};

/** A file of results as rows under headings. */
export type RawTable = {
  readonly columns: readonly string[];
  /** From 1. */
  readonly headingLine: number;
  readonly rows: readonly RawRow[];
  readonly skipped: readonly Skipped[];
  /** What the file says about itself, beside its rows. */
  readonly told: {
    /** Lines that are no rows: comments before the heading. */
    readonly comments: readonly string[];
    /** What a column called "metric" contains; several if the file measured different things. */
    readonly metricNames: readonly string[];
    readonly goal: 'minimize' | 'maximize' | null;
    /** The column of verdicts, if it is known. */
    readonly verdictColumn: number | null;
  };
};

/** Nobody looks at a table with more rows; such a file is refused. */
export const MAX_ROWS = 200_000;
/** Nobody reads a table with more columns. */
export const MAX_COLUMNS = 256;
/** Including empty ones, because each row has a field for every column. */
const MAX_CELLS = 5_000_000;

/** Throws `import_invalid`. */
export function refuseTooManyCells(rows: number, columns: number): void {
  if (rows * columns <= MAX_CELLS) return;
  throw new PawlError(
    'import_invalid',
    `The table has more than ${MAX_CELLS} fields: ${rows} rows or more with ${columns} columns.`,
  );
}

/** A heading for comparison: without case, marks and a note in brackets after it. */
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
