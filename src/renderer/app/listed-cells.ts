import type { Cell } from '../../shared/notebook.ts';
import type { State } from './store.ts';

type Asked = Pick<State, 'found'> & {
  readonly all: readonly (Cell | undefined)[];
  readonly verdicts: State['view']['filter']['verdicts'];
  readonly category: string | null;
  readonly order: State['settings']['order'];
};

const NONE: readonly (Cell | undefined)[] = [];
let last: { readonly asked: Asked; readonly listed: readonly Cell[] } | null = null;

/**
 * The cells that pass the filter, in list order. The same array is returned until something relevant changes: there
 * may be ten thousand cells, and every key press asks.
 */
export function listedCells({ notebook, view, found, settings }: State): readonly Cell[] {
  const { verdicts, category } = view.filter;
  const asked: Asked = { all: notebook?.cells ?? NONE, verdicts, category, found, order: settings.order };
  if (!last || !isSame(last.asked, asked)) last = { asked, listed: list(asked) };
  return last.listed;
}

function isSame(a: Asked, b: Asked): boolean {
  return (
    a.all === b.all &&
    a.verdicts === b.verdicts &&
    a.category === b.category &&
    a.found === b.found &&
    a.order === b.order
  );
}

function list({ all, verdicts, category, found, order }: Asked): readonly Cell[] {
  const cells = all.filter((cell): cell is Cell => {
    if (!cell) return false;
    if (verdicts.length > 0 && !verdicts.includes(cell.verdict?.word ?? 'running')) return false;
    if (category !== null && cell.category !== category) return false;
    return found === null || found.has(cell.n);
  });
  return order === 'newest' ? cells.reverse() : cells;
}
