import type { Column, Row, Value } from './table-columns.ts';

export type SortKey = { readonly id: string; readonly isDown: boolean };

/** The rows of the table, from top to bottom. */
export type Item =
  | { readonly kind: 'row'; readonly key: string; readonly row: Row }
  | {
      readonly kind: 'group';
      readonly key: string;
      readonly value: Value;
      readonly rows: readonly Row[];
      readonly isOpen: boolean;
    };

/**
 * Sorted by the first key, ties by the next; rows without a value come last in both directions. Equal rows keep their
 * order.
 */
export function sortRows(
  rows: readonly Row[],
  keys: readonly SortKey[],
  columns: readonly Column[],
): readonly Row[] {
  const sorts = keys.flatMap(({ id, isDown }) => {
    const column = columns.find(other => other.id === id);
    return column ? [ranks(rows, column, isDown ? -1 : 1)] : [];
  });
  if (sorts.length === 0) return rows;
  const places = Uint32Array.from(rows, (_, place) => place);
  places.sort((a, b) => {
    for (const own of sorts) {
      const [one = 0, other = 0] = [own[a], own[b]];
      if (one !== other) return one < other ? -1 : 1;
    }
    return a - b;
  });
  return Array.from(places, place => rows[place] as Row);
}

/** A rank for each row: ten thousand numbers are compared in a tenth of the time of values. */
function ranks(rows: readonly Row[], { value }: Column, sign: 1 | -1): Float64Array {
  const values = rows.map(row => comparable(value(row)));
  if (values.every(own => typeof own !== 'string')) {
    return Float64Array.from(values, own =>
      typeof own === 'number' ? sign * own : Number.POSITIVE_INFINITY,
    );
  }
  const order = [...new Set(values)].sort((a, b) => compare(a, b, sign));
  const places = new Map(order.map((own, place) => [own, place]));
  return Float64Array.from(values, own => places.get(own) ?? order.length);
}

function comparable(value: Value): Value {
  if (typeof value === 'string') return value.toLowerCase();
  return Number.isNaN(value) ? null : value;
}

function compare(a: Value, b: Value, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  // In a column with both, numbers come before words.
  if (typeof a !== typeof b) return typeof a === 'number' ? -sign : sign;
  return a < b ? -sign : sign;
}

/** The rows as they are, or under a heading for each value of a column, without the rows of closed headings. */
export function itemsOf(
  rows: readonly Row[],
  group: Column | null,
  closed: ReadonlySet<string>,
): readonly Item[] {
  if (!group) return rows.map(rowItem);
  const groups = Map.groupBy(rows, row => group.value(row));
  return [...groups]
    .sort(([a], [b]) => compare(comparable(a), comparable(b), 1))
    .flatMap(([value, members]) => {
      const key = `group ${value === null ? '' : value}`;
      const isOpen = !closed.has(key);
      const heading: Item = { kind: 'group', key, value, rows: members, isOpen };
      return [heading, ...(isOpen ? members.map(rowItem) : [])];
    });
}

function rowItem(row: Row): Item {
  return { kind: 'row', key: `n${row.cell.n}`, row };
}

/** The sorting after a click on a heading: up, down, unsorted; with `isAdded` in addition to the existing keys. */
export function nextSort(keys: readonly SortKey[], id: string, isAdded: boolean): readonly SortKey[] {
  const own = keys.find(key => key.id === id);
  const others = isAdded ? keys.filter(key => key.id !== id) : [];
  if (!own) return [...others, { id, isDown: false }];
  const turned = own.isDown ? [] : [{ id, isDown: true }];
  if (!isAdded) return turned;
  return own.isDown ? others : keys.map(key => (key.id === id ? { id, isDown: true } : key));
}
