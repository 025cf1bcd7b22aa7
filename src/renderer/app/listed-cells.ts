import type { Cell } from '../../shared/notebook.ts';
import { isTried } from '../../shared/tried.ts';
import { type State, studyOf } from './store.ts';

type Asked = Pick<State, 'found'> & {
  readonly all: readonly (Cell | undefined)[];
  readonly verdicts: State['view']['filter']['verdicts'];
  readonly category: string | null;
  readonly isImported: boolean;
  readonly order: State['settings']['order'];
};

const NONE: readonly (Cell | undefined)[] = [];
let last: { readonly asked: Asked; readonly listed: readonly Cell[] } | null = null;

/**
 * The cells that pass the filter, in list order. The same array is returned until something relevant changes: there
 * may be ten thousand cells, and every key press asks.
 */
export function listedCells(state: State): readonly Cell[] {
  const { notebook, view, found, settings } = state;
  const asked: Asked = {
    all: notebook?.cells ?? NONE,
    ...{ verdicts: view.filter.verdicts, category: view.filter.category },
    isImported: studyOf(state)?.state === 'imported',
    ...{ found, order: settings.order },
  };
  if (!last || !isSame(last.asked, asked)) last = { asked, listed: list(asked) };
  return last.listed;
}

function isSame(a: Asked, b: Asked): boolean {
  return (
    a.all === b.all &&
    a.verdicts === b.verdicts &&
    a.category === b.category &&
    a.isImported === b.isImported &&
    a.found === b.found &&
    a.order === b.order
  );
}

function list({ all, verdicts, category, isImported, found, order }: Asked): readonly Cell[] {
  const cells = all.filter((cell): cell is Cell => {
    if (!cell) return false;
    if (
      verdicts.length > 0 &&
      !(isTried(cell, isImported) && verdicts.includes(cell.verdict?.word ?? 'running'))
    )
      return false;
    if (category !== null && cell.category !== category) return false;
    return found === null || found.has(cell.n);
  });
  return order === 'newest' ? cells.reverse() : cells;
}
