import type { Cell } from '../../../shared/notebook.ts';
import { counted } from '../../../shared/numbers.ts';
import { heldBy } from '../../../shared/verdicts/held.ts';

/** How a line passes a row, or ends in it: from a place above to one below, counted from the left. */
export type Rail = { readonly from: number; readonly to: number };

/** An experiment on which another was built, or at which the branch once was, with the lines beside it. */
export type LineageRow = {
  readonly cell: Cell;
  /** Place of its dot, counted from the left; the branch has the first. */
  readonly column: number;
  /** Lines in the upper half of the row, which come from newer experiments. */
  readonly above: readonly Rail[];
  /** Lines in the lower half, which lead to older ones. */
  readonly below: readonly Rail[];
  /** Whether the branch holds it. */
  readonly isHeld: boolean;
  /** Others that were tried on it and abandoned, with nothing built on them. */
  readonly tried: number;
};

/**
 * The tree of a study, newest first, as logs of commits are drawn: each line leads down to what it was built on.
 * @param cells by number
 * @param best the experiment that the branch stands at; null before the baseline
 */
export function lineageRows(cells: readonly Cell[], best: number | null): readonly LineageRow[] {
  const known = new Map(cells.map(cell => [cell.n, cell]));
  const parentOf = (cell: Cell) =>
    cell.otherLine ?? cell.parent ?? (cell.verdict === null && cell.n > 0 ? best : null);
  const held = heldBy(best, n => {
    const cell = known.get(n);
    return cell ? parentOf(cell) : null;
  });
  const children = new Map<number, Cell[]>();
  for (const cell of cells) {
    const parent = parentOf(cell);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), cell]);
  }
  const isShown = (cell: Cell) =>
    held.has(cell.n) ||
    cell.verdict?.word === 'keep' ||
    cell.verdict?.reason === 'rolled_back' ||
    cell.otherLine !== null ||
    cell.combines !== null ||
    children.has(cell.n);
  // What was built on another stands above it, also where it was begun earlier and laid upon a newer best.
  const shown = new Set<Cell>();
  const show = (cell: Cell) => {
    if (shown.has(cell)) return;
    for (const child of (children.get(cell.n) ?? []).toReversed()) if (isShown(child)) show(child);
    shown.add(cell);
  };
  for (const cell of cells.toReversed()) if (isShown(cell)) show(cell);
  /** By place, the experiment that the line there leads down to. */
  const lines: (number | null)[] = [null];
  return [...shown].map(cell => {
    const { n } = cell;
    const ending = lines.flatMap((to, place) => (to === n ? [place] : []));
    const column = n === best ? 0 : (ending[0] ?? freePlace(lines));
    const passing = lines.flatMap((to, place) =>
      to !== null && to !== n ? [{ from: place, to: place }] : [],
    );
    const above = [...passing, ...ending.map(from => ({ from, to: column }))];
    for (const place of ending) lines[place] = null;
    const parent = parentOf(cell);
    lines[column] = parent !== null && known.has(parent) ? parent : null;
    const below = [...passing, ...(lines[column] === null ? [] : [{ from: column, to: column }])];
    const tried = (children.get(n) ?? []).filter(child => child.verdict !== null && !isShown(child)).length;
    return { cell, column, above, below, isHeld: held.has(n), tried };
  });
}

/** What the branch holds, in words, and what else the rows show. */
export function describeRows(rows: readonly LineageRow[]): string {
  const held = rows.filter(({ isHeld, cell }) => isHeld && cell.n > 0);
  // The header counts keeps, so it says where more experiments are on the branch.
  const brought = held.filter(
    ({ cell }) => cell.verdict?.word !== 'keep' || cell.supersededBy !== null,
  ).length;
  const left = rows.filter(({ isHeld }) => !isHeld).length;
  return [
    `The branch holds ${held.length === 0 ? 'the baseline' : `the baseline and ${held.length} more`}, newest first.`,
    ...(brought === 0
      ? []
      : [
          `${brought} of them ${brought === 1 ? 'is' : 'are'} there because a later keep was built on ${brought === 1 ? 'it' : 'them'}.`,
        ]),
    left === 0
      ? 'No experiment on another line was kept or built on.'
      : `${counted(left, 'experiment')} on lines that it abandoned.`,
  ].join(' ');
}

/** The first place without a line; the branch keeps the first one. */
function freePlace(lines: readonly (number | null)[]): number {
  const free = lines.findIndex((to, place) => place > 0 && to === null);
  return free < 0 ? Math.max(1, lines.length) : free;
}

/** The number of places that the lines of all rows need. */
export function placesOf(rows: readonly LineageRow[]): number {
  return (
    1 + Math.max(0, ...rows.map(({ column, above }) => Math.max(column, ...above.map(({ from }) => from))))
  );
}
