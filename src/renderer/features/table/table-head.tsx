// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and says which of its cells is the active one
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { PointerEvent as ReactPointerEvent } from 'react';
import { useState } from 'react';
import { clamp } from '../../../shared/numbers.ts';
import { classNames } from '../../ui/class-names.ts';
import type { SortKey } from './arrange-rows.ts';
import { alignOf } from './table-cell.tsx';
import type { Column } from './table-columns.ts';
import { WIDTHS } from './table-layout.ts';

type Props = {
  readonly columns: readonly Column[];
  readonly sort: readonly SortKey[];
  /** Place of the heading with the keyboard focus; null if the focus is elsewhere. */
  readonly active: number | null;
  readonly idOf: (column: number) => string;
  readonly onSort: (id: string, isAdded: boolean) => void;
  readonly onWidth: (id: string, width: number) => void;
  readonly onMove: (id: string, to: number) => void;
};

/** The names of the columns: a click sorts, a drag moves, and the right edge changes the width. */
export function TableHead({ columns, sort, active, idOf, onSort, onWidth, onMove }: Props) {
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const endDrag = () => {
    setDragged(null);
    setOver(null);
  };
  return (
    <div role="rowgroup" className="sticky top-0 z-20">
      <div role="row" aria-rowindex={1} className="table-row-grid h-8 border-line border-b bg-sunken">
        {columns.map((column, place) => {
          const at = sort.findIndex(({ id }) => id === column.id);
          const key = sort[at];
          return (
            <div
              key={column.id}
              id={idOf(place)}
              role="columnheader"
              aria-colindex={place + 1}
              aria-sort={key ? (key.isDown ? 'descending' : 'ascending') : 'none'}
              title={column.hint}
              draggable
              onDragStart={() => setDragged(column.id)}
              onDragEnd={endDrag}
              onDragOver={event => {
                if (dragged === null) return;
                event.preventDefault();
                setOver(place);
              }}
              onDrop={() => {
                if (dragged !== null) onMove(dragged, place);
                endDrag();
              }}
              className={classNames(
                'relative flex min-w-0 items-center border-line border-r text-muted text-xs',
                place === 0 && 'sticky left-0 z-10 bg-sunken',
                active === place && 'cell-active',
                dragged !== null && over === place && 'bg-accent-soft',
              )}
            >
              <button
                type="button"
                tabIndex={-1}
                onClick={event => onSort(column.id, event.shiftKey)}
                className={classNames(
                  'flex h-full w-full min-w-0 items-center gap-1 px-2 font-medium hover:text-ink',
                  alignOf(column, null),
                  key && 'text-ink',
                )}
              >
                <span className="truncate">{column.label}</span>
                {key ? <SortMark isDown={key.isDown} place={sort.length > 1 ? at + 1 : null} /> : null}
              </button>
              <ResizeHandle onWidth={width => onWidth(column.id, width)} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function SortMark({ isDown, place }: { readonly isDown: boolean; readonly place: number | null }) {
  const Icon = isDown ? ArrowDown : ArrowUp;
  return (
    <span aria-hidden className="tabular flex shrink-0 items-center text-accent">
      <Icon size={12} strokeWidth={2.5} />
      {place}
    </span>
  );
}

/** By keyboard, the grid changes the width. */
function ResizeHandle({ onWidth }: { readonly onWidth: (width: number) => void }) {
  const begin = (event: ReactPointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const handle = event.currentTarget;
    const heading = handle.parentElement;
    if (!heading) return;
    handle.setPointerCapture(event.pointerId);
    const { left } = heading.getBoundingClientRect();
    const follow = ({ clientX }: PointerEvent) => onWidth(clampWidth(clientX - left));
    handle.addEventListener('pointermove', follow);
    handle.addEventListener('lostpointercapture', () => handle.removeEventListener('pointermove', follow), {
      once: true,
    });
  };
  return (
    <div
      aria-hidden
      onPointerDown={begin}
      draggable
      onDragStart={event => event.preventDefault()}
      className="-right-1 absolute inset-y-0 z-10 w-2 cursor-col-resize hover:bg-accent-soft"
    />
  );
}

export function clampWidth(width: number): number {
  return Math.round(clamp(width, WIDTHS.least, WIDTHS.most));
}
