import { useMemo, useState } from 'react';
import { selectCell } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import type { Item } from './arrange-rows.ts';
import type { Place } from './grid-keys.ts';

type At =
  | { readonly kind: 'head' }
  | { readonly kind: 'group'; readonly key: string }
  | { readonly kind: 'cell' };

/**
 * The active cell. Its row is the experiment that is selected everywhere else too, so it stays the same when the
 * table is sorted again.
 */
export function useActiveCell(items: readonly Item[], columns: number) {
  const selected = useStore(state => state.view.selected);
  const [at, setAt] = useState<At>({ kind: 'cell' });
  const [column, setColumn] = useState(0);
  const key = at.kind === 'group' ? at.key : `n${selected}`;
  const found = useMemo(() => items.findIndex(item => item.key === key), [items, key]);
  const row = at.kind === 'head' || items.length === 0 ? null : Math.max(found, 0);
  return {
    active: { row, column: Math.min(column, columns - 1), isFound: found >= 0 },
    goTo(place: Place): void {
      setColumn(place.column);
      const item = place.row === null ? undefined : items[place.row];
      if (!item) setAt({ kind: 'head' });
      else if (item.kind === 'group') setAt({ kind: 'group', key: item.key });
      else {
        setAt({ kind: 'cell' });
        selectCell(item.row.cell.n);
      }
    },
  };
}
