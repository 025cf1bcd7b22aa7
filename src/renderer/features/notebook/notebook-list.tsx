import { useVirtualizer } from '@tanstack/react-virtual';
import { FilterX, NotebookPen } from 'lucide-react';
import { memo, useCallback, useMemo, useRef } from 'react';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import { setFilter } from '../../app/actions.ts';
import { isActive, NO_FILTER, useStore } from '../../app/store.ts';
import { readNotebook } from '../../app/sync.ts';
import { useSparklines } from '../../app/use-sparklines.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { useSteadyOrder, useSteadyRange } from '../../ui/steady-rows.ts';
import { ExperimentMenuArea } from '../cell/experiment-menu.tsx';
import { CellRow } from './cell-row.tsx';
import { MarkRow, RefusedRow } from './mark-row.tsx';
import { type NotebookRow, notebookRows } from './notebook-rows.ts';
import { Revealer } from './revealer.tsx';
import { useScrollAnchor } from './use-scroll-anchor.ts';

/** Fixed height of a closed cell in pixels; only opened cells are measured, because measuring costs a layout. */
const CELL_PX = 61;
const MARK_PX = 33;
const OVERSCAN = 2;
/** The list's share of the window until it is measured: the first drawing has rows already, and seldom too many. */
const LIKELY_SHARE = 0.5;

type RowVirtualizer = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>;

const NOTHING = { marks: [], refusals: [], status: 'loading' } as const;

/** The cells and the rows between them, or why there are none. */
export function NotebookList({ card, cells }: { readonly card: StudyCard; readonly cells: readonly Cell[] }) {
  const notebook = useStore(state => state.notebook);
  const filter = useStore(state => state.view.filter);
  const order = useStore(state => state.settings.order);
  const isFiltered = filter.verdicts.length > 0 || filter.category !== null || filter.text !== '';
  const { marks, refusals, status } = notebook ?? NOTHING;
  const rows = useMemo(
    () => notebookRows(cells, marks, refusals, order, isFiltered),
    [cells, marks, refusals, order, isFiltered],
  );
  if (status === 'failed') {
    return (
      <EmptyState title="The experiments could not be read">
        <p className="mb-3">{notebook?.problem}</p>
        <Button onClick={() => void readNotebook(card.id)}>Read again</Button>
      </EmptyState>
    );
  }
  if (rows.length === 0)
    return <NoRows card={card} isFiltered={isFiltered} isLoading={status === 'loading'} />;
  return <RowList card={card} rows={rows} />;
}

/** Of many thousand rows only the visible ones are on the page. */
function RowList({ card, rows }: { readonly card: StudyCard; readonly rows: readonly NotebookRow[] }) {
  const order = useStore(state => state.settings.order);
  const scroller = useRef<HTMLDivElement>(null);
  // New functions on each render would place all rows again.
  const estimateSize = useCallback(
    (index: number) => (rows[index]?.kind === 'cell' ? CELL_PX : MARK_PX),
    [rows],
  );
  const getItemKey = useCallback((index: number) => rows[index]?.key ?? index, [rows]);
  const virtual = useVirtualizer({
    ...{ count: rows.length, estimateSize, getItemKey, overscan: OVERSCAN },
    rangeExtractor: useSteadyRange(),
    getScrollElement: () => scroller.current,
    initialRect: { width: 0, height: window.innerHeight * LIKELY_SHARE },
  });
  const items = virtual.getVirtualItems();
  const inSight = items.flatMap(item => {
    const row = rows[item.index];
    return row?.kind === 'cell' ? [row.cell] : [];
  });
  const sparklines = useSparklines(card.id, inSight);
  useScrollAnchor(scroller, virtual, rows);

  // Rows are reused while scrolling, which costs a fraction of making new ones. They are counted from the old end, so
  // that a new experiment moves no row, and no focus, to another place.
  const places = useRef(0);
  places.current = Math.max(places.current, items.length);
  const slotOf = (index: number) =>
    (order === 'newest' ? rows.length - 1 - index : index) % Math.max(1, places.current);
  const placed = useSteadyOrder(items, slotOf, virtual.isScrolling);

  return (
    <ExperimentMenuArea
      area={
        <div
          ref={scroller}
          // Rows query their width, and whether any of them has a curve.
          className="group/list @container min-h-0 flex-1 overflow-y-auto"
          data-curves={[...sparklines.values()].some(points => points.length > 1) || undefined}
          data-testid="notebook-list"
        >
          <ol aria-label="Experiments" style={{ height: virtual.getTotalSize() }} className="relative">
            {placed.map(({ index, start }) => {
              const row = rows[index];
              return row ? (
                <PlacedRow
                  key={slotOf(index)}
                  {...{ card, row, index, start, virtual }}
                  sparkline={row.kind === 'cell' ? (sparklines.get(row.cell.n) ?? null) : null}
                />
              ) : null;
            })}
          </ol>
          <Revealer rows={rows} virtual={virtual} />
        </div>
      }
    />
  );
}

type RowProps = {
  readonly card: StudyCard;
  readonly row: NotebookRow;
  /** Of a cell. */
  readonly sparkline: readonly (number | null)[] | null;
};

const PlacedRow = memo(function PlacedRow({
  index,
  start,
  virtual,
  ...props
}: RowProps & {
  readonly index: number;
  /** In pixels from the top of the list. */
  readonly start: number;
  readonly virtual: RowVirtualizer;
}) {
  const { row } = props;
  const isClosed = useStore(({ view }) => row.kind === 'cell' && !view.opened.includes(row.cell.n));
  // biome-ignore lint/correctness/useExhaustiveDependencies: another row in this place is measured anew.
  const measure = useCallback(
    (element: HTMLLIElement | null) => {
      if (!isClosed) virtual.measureElement(element);
      // When the ref is released, another row may have its number.
      else if (element) virtual.resizeItem(index, CELL_PX);
    },
    [virtual, index, isClosed, row.key],
  );
  return (
    <li
      data-index={index}
      ref={measure}
      className="absolute inset-x-0 top-0 border-line border-b"
      style={{ transform: `translateY(${start}px)` }}
    >
      <Row {...props} />
    </li>
  );
});

function Row({ card, row, sparkline }: RowProps) {
  switch (row.kind) {
    case 'cell':
      return <CellRow card={card} cell={row.cell} sparkline={sparkline} />;
    case 'mark':
      return <MarkRow mark={row.mark} />;
    case 'refused':
      return <RefusedRow n={row.n} refusals={row.refusals} />;
    default:
      return row satisfies never;
  }
}

function NoRows({
  card,
  isFiltered,
  isLoading,
}: {
  readonly card: StudyCard;
  readonly isFiltered: boolean;
  readonly isLoading: boolean;
}) {
  if (isLoading && !isFiltered) {
    return (
      <p className="p-8 text-muted" role="status">
        Reading the experiments …
      </p>
    );
  }
  if (isFiltered) {
    return (
      <EmptyState icon={<FilterX size={28} />} title="Nothing matches">
        <Button onClick={() => setFilter(NO_FILTER)}>Show all experiments</Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<NotebookPen size={28} />} title="No experiment yet">
      {isActive(card)
        ? 'The baseline comes first: the code as it is, so that there is something to beat.'
        : 'Resume the study, and its first experiment is the baseline.'}
    </EmptyState>
  );
}
