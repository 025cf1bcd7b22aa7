/** A place in the grid; a null row is the row of headings. */
export type Place = { readonly row: number | null; readonly column: number };

type Direction =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'first'
  | 'last'
  | 'top'
  | 'bottom'
  | 'pageUp'
  | 'pageDown';

export type KeyAction =
  | { readonly kind: 'go'; readonly to: Direction }
  | { readonly kind: 'open' }
  | { readonly kind: 'sort'; readonly isAdded: boolean }
  | { readonly kind: 'width' | 'move'; readonly by: 1 | -1 };

type Press = {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
};

const STEPS: Readonly<Record<string, Direction>> = {
  ...{ ArrowUp: 'up', k: 'up', ArrowDown: 'down', j: 'down', ArrowLeft: 'left', ArrowRight: 'right' },
  ...{ Home: 'first', End: 'last', PageUp: 'pageUp', PageDown: 'pageDown' },
};

/** What a key does in the grid; null for a key that the grid does not handle. */
export function keyAction(
  { key, shiftKey, ctrlKey, altKey, metaKey }: Press,
  isAtHead: boolean,
): KeyAction | null {
  if (altKey || metaKey) return null;
  const isSideways = key === 'ArrowLeft' || key === 'ArrowRight';
  const by = key === 'ArrowLeft' ? -1 : 1;
  if (isAtHead && isSideways && (ctrlKey || shiftKey)) return { kind: ctrlKey ? 'width' : 'move', by };
  if (ctrlKey && key === 'Home') return { kind: 'go', to: 'top' };
  if (ctrlKey && key === 'End') return { kind: 'go', to: 'bottom' };
  if (ctrlKey) return null;
  if (key === 'Enter' || key === ' ')
    return isAtHead ? { kind: 'sort', isAdded: shiftKey } : { kind: 'open' };
  const to = STEPS[key];
  return to ? { kind: 'go', to } : null;
}

/** The target of a step; the headings are above the first row. */
export function stepFrom(
  { row, column }: Place,
  to: Direction,
  { rows, columns, page }: { readonly rows: number; readonly columns: number; readonly page: number },
): Place {
  const down = (by: number): Place => {
    const next = (row ?? -1) + by;
    return { column, row: next < 0 ? null : Math.min(next, rows - 1) };
  };
  const across = (next: number): Place => ({ row, column: Math.min(Math.max(next, 0), columns - 1) });
  switch (to) {
    case 'up':
      return down(-1);
    case 'down':
      return down(1);
    case 'pageUp':
      return { column, row: row === null ? null : Math.max(0, row - page) };
    case 'pageDown':
      return down(page);
    case 'left':
      return across(column - 1);
    case 'right':
      return across(column + 1);
    case 'first':
      return across(0);
    case 'last':
      return across(columns - 1);
    case 'top':
      return { column, row: 0 };
    case 'bottom':
      return { column, row: rows - 1 };
    default:
      return to satisfies never;
  }
}
