import type { Virtualizer } from '@tanstack/react-virtual';
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import type { NotebookRow } from './notebook-rows.ts';

/**
 * Keeps the text being read in place when rows arrive above it: a night's notebook grows at its top. At the very top
 * it does nothing, so that the newest is visible.
 */
export function useScrollAnchor(
  scroller: RefObject<HTMLElement | null>,
  virtual: Virtualizer<HTMLDivElement, Element>,
  rows: readonly NotebookRow[],
): void {
  const anchor = useRef<{ readonly key: string; readonly offset: number } | null>(null);

  useLayoutEffect(() => {
    const { current: box } = scroller;
    const { current: held } = anchor;
    // Asking the box itself would cost a layout before the one of the frame.
    if (!box || !held || !virtual.scrollOffset) return;
    const index = rows.findIndex(row => row.key === held.key);
    const start = index < 0 ? undefined : virtual.measurementsCache[index]?.start;
    if (start === undefined) return;
    const wanted = start + held.offset;
    if (Math.abs(wanted - box.scrollTop) > 1) box.scrollTop = wanted;
  }, [rows, scroller, virtual]);

  useEffect(() => {
    const { current: box } = scroller;
    if (!box) return;
    const hold = () => {
      // Measuring the element itself would cost another layout in every frame of a scroll.
      const top = virtual.scrollOffset ?? 0;
      const first = virtual.getVirtualItems().find(item => item.end > top);
      anchor.current = first ? { key: String(first.key), offset: top - first.start } : null;
    };
    hold();
    box.addEventListener('scroll', hold, { passive: true });
    return () => box.removeEventListener('scroll', hold);
  }, [scroller, virtual]);
}
