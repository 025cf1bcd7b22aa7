import type { Virtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { leaveControls } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { cellButtonId } from './cell-row.tsx';
import type { NotebookRow } from './notebook-rows.ts';

/**
 * Scrolls to the experiment that the store requests, and gives it the focus. It renders nothing, and is a separate
 * component so that a request does not render the rows again.
 */
export function Revealer({
  rows,
  virtual,
}: {
  readonly rows: readonly NotebookRow[];
  readonly virtual: Virtualizer<HTMLDivElement, Element>;
}) {
  const reveal = useStore(state => state.reveal);
  const isLoading = useStore(state => state.notebook?.status === 'loading');
  const latest = useRef({ rows, isLoading });
  latest.current = { rows, isLoading };
  const fulfilled = useRef(0);
  // A missing cell may arrive with the next page.
  const page = isLoading ? rows.length : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `page` changes with what may hold the cell.
  useEffect(() => {
    if (!reveal || fulfilled.current === reveal.wish) return;
    const index = latest.current.rows.findIndex(row => row.kind === 'cell' && row.cell.n === reveal.n);
    if (index < 0) {
      if (!latest.current.isLoading) fulfilled.current = reveal.wish;
      return;
    }
    if (reveal.takesFocus) focusCell(reveal.n);
    if (!reveal.toTop && bringIntoSight(virtual, index)) {
      fulfilled.current = reveal.wish;
      return;
    }
    // The height of an opened cell is known only once it is on the page.
    let frame = requestAnimationFrame(() => {
      fulfilled.current = reveal.wish;
      virtual.scrollToIndex(index, { align: reveal.toTop ? 'start' : 'auto' });
      if (reveal.takesFocus) frame = requestAnimationFrame(() => focusCell(reveal.n));
    });
    return () => cancelAnimationFrame(frame);
  }, [reveal, virtual, page]);
  return null;
}

/**
 * A cell that is not on the page yet gets the focus once it is; until then no control has it, so that Enter triggers
 * nothing else.
 */
function focusCell(n: number): void {
  // What was opened since the wish keeps the focus; the palette would close without it.
  if (useStore.getState().overlay) return;
  const button = document.getElementById(cellButtonId(n));
  if (!button) leaveControls();
  else if (button !== document.activeElement) button.focus({ preventScroll: true });
}

/** Of a row that is on the page, so that its height and place are known: it is in sight in the next frame. False for any other. */
function bringIntoSight(virtual: Virtualizer<HTMLDivElement, Element>, index: number): boolean {
  const { scrollElement, scrollOffset, scrollRect } = virtual;
  const row = virtual.getVirtualItems().find(item => item.index === index);
  if (!row || !scrollElement || scrollOffset === null || !scrollRect) return false;
  if (row.start < scrollOffset) scrollElement.scrollTop = row.start;
  else if (row.end > scrollOffset + scrollRect.height) scrollElement.scrollTop = row.end - scrollRect.height;
  return true;
}
