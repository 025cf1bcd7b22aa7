import { type ReactNode, useId } from 'react';
import { filledColumns, MOST_NAMED, type TextColumn } from '../../../shared/debrief/debrief-columns.ts';
import { firstOf } from '../../../shared/listed.ts';
import { jumpTo } from '../../app/actions.ts';
import { classNames } from '../../ui/class-names.ts';

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="mb-2 font-medium">
        {title}
      </h2>
      {children}
    </section>
  );
}

export type Column<Row> = {
  readonly name: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ReactNode;
};

/** The text columns in which some row has a value; those named in `cells` are shown differently, for example with links. */
export function shownAs<Row>(
  columns: readonly TextColumn<Row>[],
  rows: readonly Row[],
  cells: Readonly<Record<string, (row: Row) => ReactNode>>,
): readonly Column<Row>[] {
  return filledColumns(columns, rows).map(column => ({ ...column, cell: cells[column.name] ?? column.cell }));
}

/** A table of rows, as wide as the page, scrolled sideways if that is too narrow. */
export function RowsTable<Row>({
  label,
  rows,
  columns,
  keyOf,
}: {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string | number;
}) {
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table aria-label={label} className="w-full text-sm">
        <thead>
          <tr className="border-line border-b text-left text-muted text-xs">
            {columns.map(({ name, isNumber }) => (
              <th
                key={name}
                scope="col"
                className={classNames(
                  'whitespace-nowrap px-3 py-2 font-medium first:pl-4 last:pr-4',
                  isNumber && 'text-right',
                )}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={keyOf(row)} className="border-line border-b last:border-b-0">
              {columns.map(({ name, isNumber, cell }) => (
                <td
                  key={name}
                  className={classNames(
                    'px-3 py-2 align-top first:pl-4 last:pr-4',
                    isNumber ? 'tabular whitespace-nowrap text-right' : 'break-words',
                  )}
                >
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** An experiment by its number, which leads to its cell in the notebook. */
export function ToCell({ n }: { readonly n: number }) {
  return (
    <button
      type="button"
      className="tabular text-accent underline-offset-2 hover:underline"
      onClick={() => jumpTo(n)}
    >
      #{n}
    </button>
  );
}

/** The number and the hypothesis. */
export function IdeaName({ n, hypothesis }: { readonly n: number; readonly hypothesis: string }) {
  return (
    <span className="wrap-anywhere">
      <ToCell n={n} /> {hypothesis}
    </span>
  );
}

export function ToCells({ experiments }: { readonly experiments: readonly number[] }) {
  const { shown, left } = firstOf(experiments, MOST_NAMED);
  return (
    <span className="inline-flex flex-wrap gap-x-1.5">
      {shown.map(n => (
        <ToCell key={n} n={n} />
      ))}
      {left > 0 ? <span className="text-muted">and {left} more</span> : null}
    </span>
  );
}
