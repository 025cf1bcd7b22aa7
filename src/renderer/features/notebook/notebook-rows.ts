import type { Cell, Mark, RefusedProposal } from '../../../shared/notebook.ts';

/** The rows of the notebook, from top to bottom. */
export type NotebookRow =
  | { readonly kind: 'cell'; readonly key: string; readonly cell: Cell }
  | { readonly kind: 'mark'; readonly key: string; readonly mark: Mark }
  | {
      readonly kind: 'refused';
      readonly key: string;
      readonly n: number;
      readonly refusals: readonly RefusedProposal[];
    };

/**
 * Cells in their order with the marks and the refused proposals between them. While a filter hides cells, marks and
 * refusals are left out, because their neighbours may be missing.
 */
export function notebookRows(
  cells: readonly Cell[],
  marks: readonly Mark[],
  refusals: readonly RefusedProposal[],
  order: 'newest' | 'oldest',
  isFiltered: boolean,
): readonly NotebookRow[] {
  const rows: NotebookRow[] = [];
  const cellRow = (cell: Cell): NotebookRow => ({ kind: 'cell', key: `c${cell.n}`, cell });
  if (isFiltered) return cells.map(cellRow);
  const between = new Map<number, NotebookRow[]>();
  const put = (n: number, row: NotebookRow) => {
    const known = between.get(n);
    if (known) known.push(row);
    else between.set(n, [row]);
  };
  for (const mark of marks) put(mark.n, { kind: 'mark', key: `m${mark.id}`, mark });
  const refused = new Map<number, RefusedProposal[]>();
  for (const refusal of refusals) refused.set(refusal.n, [...(refused.get(refusal.n) ?? []), refusal]);
  for (const [n, list] of refused) put(n, { kind: 'refused', key: `r${n}`, n, refusals: list });

  // Oldest first: events before experiment n are above its cell.
  const ascending = order === 'oldest' ? cells : [...cells].reverse();
  for (const cell of ascending) {
    rows.push(...(between.get(cell.n) ?? []), cellRow(cell));
    between.delete(cell.n);
  }
  // Events before an experiment that has not begun, or whose cell has not arrived.
  const rest = [...between].sort(([a], [b]) => a - b);
  for (const [, list] of rest) rows.push(...list);
  return order === 'oldest' ? rows : rows.reverse();
}
