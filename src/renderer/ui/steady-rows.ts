import { useCallback, useRef } from 'react';

/** What a virtual list says of itself: which of how many rows are in sight. */
type Range = {
  readonly startIndex: number;
  readonly endIndex: number;
  readonly overscan: number;
  readonly count: number;
};

/**
 * Says which rows of a long list are on the page: those in sight, `overscan` more at both ends, and never fewer than before. How many
 * are in sight changes with every step of a scroll, and taking a row away to make it anew costs more than filling it.
 */
export function useSteadyRange(): (range: Range) => number[] {
  const most = useRef(0);
  return useCallback(range => {
    const { startIndex, endIndex, overscan } = range;
    most.current = Math.max(most.current, endIndex - startIndex + 1 + 2 * overscan);
    return steadyRange(range, most.current);
  }, []);
}

/** As many indices as `length` says, as far as there are so many rows. */
export function steadyRange({ startIndex, overscan, count }: Range, length: number): number[] {
  const first = Math.max(0, Math.min(startIndex - overscan, count - length));
  return Array.from({ length: Math.min(length, count) }, (_, place) => first + place);
}

/**
 * The rows in the order in which the page holds them. While the list is scrolled that stays as it is, whatever the rows are filled with:
 * a browser makes what is moved anew, and takes the focus from it. At rest it is the order in which they are read.
 * @param slotOf in which of the elements, which are filled again and again, a row is
 */
export function useSteadyOrder<Item extends { readonly index: number }>(
  items: readonly Item[],
  slotOf: (index: number) => number,
  isScrolling: boolean,
): readonly Item[] {
  const placeOf = useRef<ReadonlyMap<number, number>>(new Map());
  if (!isScrolling) {
    placeOf.current = new Map(items.map(({ index }, place) => [slotOf(index), place]));
    return items;
  }
  const { current } = placeOf;
  const place = ({ index }: Item) => current.get(slotOf(index)) ?? current.size;
  return items.toSorted((a, b) => place(a) - place(b));
}
