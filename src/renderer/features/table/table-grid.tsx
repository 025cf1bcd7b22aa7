// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and says which of its cells is the active one
import { useVirtualizer } from '@tanstack/react-virtual';
import { sum } from 'd3-array';
import { ChevronRight } from 'lucide-react';
import {
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  memo,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatMetric } from '../../../shared/numbers.ts';
import { jumpTo } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { useSparklines } from '../../app/use-sparklines.ts';
import { classNames } from '../../ui/class-names.ts';
import { useSteadyOrder, useSteadyRange } from '../../ui/steady-rows.ts';
import { useSame } from '../../ui/use-same.ts';
import { type Item, nextSort } from './arrange-rows.ts';
import { keyAction, stepFrom } from './grid-keys.ts';
import { alignOf, CellContent, layoutOf, textOf } from './table-cell.tsx';
import { type Column, CURVE, type Row } from './table-columns.ts';
import { clampWidth, TableHead } from './table-head.tsx';
import { countRows } from './table-text.ts';
import { useActiveCell } from './use-active-cell.ts';
import type { Table } from './use-table.ts';

const ROW_PX = 32;
const OVERSCAN = 2;
/** How far one key press changes a width. */
const WIDTH_STEP = 16;
const heightOf = () => ROW_PX;
const BLANK = '\u00a0';
const GRID_ID = 'experiments-table';
const cellId = (key: string, column: number) => `${GRID_ID} ${key} ${column}`.replaceAll(/\s/g, '-');

/** The rows of a table under their headings. One stop for the keyboard: arrows go from cell to cell. */
export function TableGrid({ card, table }: { readonly card: StudyCard; readonly table: Table }) {
  const { shown, items, layout, setLayout } = table;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    // A new function on each render would place all rows again.
    estimateSize: heightOf,
    overscan: OVERSCAN,
    rangeExtractor: useSteadyRange(),
    // Under the headings, which stay.
    scrollPaddingStart: ROW_PX,
  });
  const places = virtual.getVirtualItems();
  const { active, goTo } = useActiveCell(items, shown.length);
  const latest = useRef(goTo);
  latest.current = goTo;
  const choose = useCallback((row: number, column: number) => latest.current({ row, column }), []);
  const isCurveShown = shown.some(({ id }) => id === CURVE);
  const inSight = places.flatMap(({ index }) => {
    const item = items[index];
    return isCurveShown && item?.kind === 'row' ? [item.row.cell] : [];
  });
  const sparklines = useSparklines(card.id, inSight);
  const widths = useSame(shown.map(({ id, width }) => layout.widths[id] ?? width));

  const activeKey = active.row === null ? 'head' : (items[active.row]?.key ?? 'head');
  // Rows that come, or are sorted anew, leave the place alone.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row is found by its key
  useEffect(() => {
    if (active.row !== null && active.isFound) virtual.scrollToIndex(active.row, { align: 'auto' });
  }, [activeKey, active.isFound]);
  useEffect(() => {
    const cell = document.getElementById(cellId(activeKey, active.column));
    if (document.activeElement === scroller.current)
      cell?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [activeKey, active.column]);

  // A fixed first column needs a compositing layer for each row, so it is fixed only when needed.
  const [isMoved, setMoved] = useState(false);
  // Rows are reused while scrolling and sorting, which costs a fraction of making new ones.
  const most = useRef(1);
  most.current = Math.max(most.current, places.length);
  const placed = useSteadyOrder(places, index => index % most.current, virtual.isScrolling);

  const sort = (id: string, isAdded: boolean) => setLayout({ sort: nextSort(layout.sort, id, isAdded) });
  const setWidth = (id: string, width: number) => setLayout({ widths: { ...layout.widths, [id]: width } });
  const move = (id: string, to: number) => {
    const others = shown.map(column => column.id).filter(other => other !== id);
    const place = Math.min(Math.max(to, 0), others.length);
    setLayout({ columns: others.toSpliced(place, 0, id) });
  };
  const open = (index: number) => {
    const item = items[index];
    if (item?.kind === 'row') jumpTo(item.row.cell.n);
    if (item?.kind === 'group') table.toggleGroup(item.key);
  };

  const press = (event: KeyboardEvent) => {
    const action = keyAction(event, active.row === null);
    if (!action) return;
    event.preventDefault();
    const id = shown[active.column]?.id ?? '';
    if (action.kind === 'go') {
      const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 2);
      goTo(stepFrom(active, action.to, { rows: items.length, columns: shown.length, page }));
    } else if (action.kind === 'sort') sort(id, action.isAdded);
    else if (action.kind === 'width') {
      setWidth(id, clampWidth((widths[active.column] ?? 0) + action.by * WIDTH_STEP));
    } else if (action.kind === 'move') {
      move(id, active.column + action.by);
      goTo({ ...active, column: Math.min(Math.max(active.column + action.by, 0), shown.length - 1) });
    } else if (active.row !== null) open(active.row);
  };

  return (
    // biome-ignore lint/a11y/useKeyWithMouseEvents: a screen reader reads what is cut whole
    <div
      ref={scroller}
      id={GRID_ID}
      role="grid"
      aria-label="Experiments"
      aria-rowcount={items.length + 1}
      aria-colcount={shown.length}
      aria-activedescendant={cellId(activeKey, active.column)}
      tabIndex={0}
      onKeyDown={press}
      onMouseOver={tellWhole}
      // Before the rows change for the new place: afterwards, reading this would cost another layout.
      onScrollCapture={({ currentTarget }) => setMoved(currentTarget.scrollLeft > 0)}
      data-moved={isMoved || undefined}
      className="group/grid min-h-0 flex-1 overflow-auto outline-offset-[-2px]"
      style={
        {
          '--columns': shown
            .map(({ id }, place) => trackOf(id, widths[place] ?? 0, id in layout.widths))
            .join(' '),
          '--row-width': `${sum(widths)}px`,
        } as CSSProperties
      }
    >
      <TableHead
        columns={shown}
        sort={layout.sort}
        active={active.row === null ? active.column : null}
        idOf={column => cellId('head', column)}
        onSort={sort}
        onWidth={setWidth}
        onMove={move}
      />
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {placed.map(({ index, start }) => {
          const item = items[index];
          if (!item) return null;
          const isActive = index === active.row;
          const common = { start, index, activeColumn: isActive ? active.column : null };
          return item.kind === 'group' ? (
            <GroupRow
              key={`group ${index % most.current}`}
              {...common}
              item={item}
              table={table}
              card={card}
              onChoose={choose}
            />
          ) : (
            <DataRow
              key={index % most.current}
              {...common}
              item={item}
              columns={shown}
              widths={widths}
              sparkline={sparklines.get(item.row.cell.n) ?? null}
              onChoose={choose}
            />
          );
        })}
      </div>
    </div>
  );
}

type Common = {
  readonly index: number;
  readonly start: number;
  readonly activeColumn: number | null;
  readonly onChoose: (row: number, column: number) => void;
};

const DataRow = memo(function DataRow({
  item: { key, row },
  columns,
  widths,
  sparkline,
  index,
  start,
  activeColumn,
  onChoose,
}: Common & {
  readonly item: Extract<Item, { kind: 'row' }>;
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
  readonly sparkline: readonly (number | null)[] | null;
}) {
  const { n } = row.cell;
  const isSelected = useStore(state => state.view.selected === n);
  const isBest = useStore(
    state => state.studies.find(({ id }) => id === state.study)?.tally.bestExperiment === n,
  );
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={classNames(
        'table-row-grid absolute top-0 left-0 h-8 border-line border-b text-sm [contain:strict]',
        isSelected ? 'bg-accent-soft' : 'bg-surface hover:bg-sunken',
      )}
      style={{ transform: `translateY(${start}px)` }}
    >
      {columns.map((column, place) => {
        const text = textOf(column, row);
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys, and has the focus
          <div
            key={column.id}
            // Only for the active cell, because there are hundreds.
            id={activeColumn === place ? cellId(key, place) : undefined}
            role="gridcell"
            aria-colindex={place + 1}
            onClick={() => onChoose(index, place)}
            onDoubleClick={() => jumpTo(n)}
            className={classNames(
              'min-w-0 whitespace-nowrap px-2',
              layoutOf(column, text, widths[place] ?? 0),
              place === 0 &&
                'left-0 group-data-moved/grid:sticky group-data-moved/grid:z-10 group-data-moved/grid:bg-inherit',
              alignOf(column, row),
              isBest && column.isMetric && 'font-semibold text-keep',
              column.id === 'delta' && isGain(row) && 'text-keep',
              column.holds === 'numbers' && column.value(row) === null && 'text-faint',
              activeColumn === place && 'cell-active',
            )}
          >
            {column.id === 'n' ? (
              <button
                type="button"
                tabIndex={-1}
                aria-label={`Open experiment ${n}`}
                onClick={() => jumpTo(n)}
                className="text-accent hover:underline"
              >
                #{n}
              </button>
            ) : // An empty text has no node: to take it away and make it again costs more than to change it.
            text === '' ? (
              BLANK
            ) : (
              (text ?? <CellContent column={column} row={row} sparkline={sparkline} />)
            )}
          </div>
        );
      })}
    </div>
  );
});

/** The title shows text that is cut off; titles on all cells would cost as much as everything else. */
function tellWhole({ target }: MouseEvent): void {
  const cell = target instanceof Element ? target.closest<HTMLElement>('[role="gridcell"]') : null;
  if (!cell) return;
  cell.title = cell.scrollWidth > cell.clientWidth ? (cell.textContent ?? '') : '';
}

/** A keep is an improvement, in whichever direction. */
function isGain({ cell }: Row): boolean {
  return cell.verdict?.word === 'keep' && cell.delta !== null && cell.delta !== 0;
}

function GroupRow({
  item: { key, value, rows, isOpen },
  table,
  card,
  index,
  start,
  activeColumn,
  onChoose,
}: Common & {
  readonly item: Extract<Item, { kind: 'group' }>;
  readonly table: Table;
  readonly card: StudyCard;
}) {
  const { group, shown } = table;
  const best = bestOf(rows, card.contract.metric.goal);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="absolute top-0 left-0 h-8 w-full min-w-max border-line border-b bg-sunken text-sm"
      style={{ transform: `translateY(${start}px)` }}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys, and has the focus */}
      <div
        id={cellId(key, activeColumn ?? 0)}
        role="gridcell"
        aria-colspan={shown.length}
        aria-expanded={isOpen}
        onClick={() => {
          onChoose(index, activeColumn ?? 0);
          table.toggleGroup(key);
        }}
        className={classNames(
          'sticky left-0 flex h-full w-fit cursor-pointer items-center gap-2 px-2',
          activeColumn !== null && 'cell-active',
        )}
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={classNames('text-faint transition-transform', isOpen && 'rotate-90')}
        />
        <span className="font-medium">
          {value === null
            ? `no ${group?.label ?? ''}`
            : group && rows[0]
              ? group.show(value, rows[0])
              : String(value)}
        </span>
        <span className="tabular text-muted text-xs">
          {countRows(rows, card.state === 'imported')}
          {best === null ? '' : ` · best ${formatMetric(best)}`}
        </span>
      </div>
    </div>
  );
}

function bestOf(rows: readonly Row[], goal: 'minimize' | 'maximize'): number | null {
  const values = rows.flatMap(({ cell }) => cell.record?.mean ?? cell.metric ?? []).filter(Number.isFinite);
  if (values.length === 0) return null;
  return values.reduce((a, b) => (goal === 'minimize' ? Math.min(a, b) : Math.max(a, b)));
}

/** The hypothesis gets the width that is left, unless the user has chosen one. */
function trackOf(id: string, width: number, isChosen: boolean): string {
  return id === 'hypothesis' && !isChosen ? `minmax(${width}px, 1fr)` : `${width}px`;
}
