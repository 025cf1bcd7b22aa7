import { useVirtualizer } from '@tanstack/react-virtual';
import { GitBranch } from 'lucide-react';
import { useMemo, useRef } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatDelta, formatMetric } from '../../../shared/numbers.ts';
import { jumpTo } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { OneLine } from '../../ui/one-line.tsx';
import { VerdictBadge } from '../../ui/verdict-badge.tsx';
import { describeRows, type LineageRow, lineageRows, placesOf } from './lineage-rows.ts';
import { Rails } from './rails.tsx';

const ROW_PX = 44;

/** Which experiment builds on which: the branch, and the lines that left it. */
export function LineageScreen({ card }: { readonly card: StudyCard }) {
  const notebook = useStore(state => state.notebook);
  const best = card.tally.bestExperiment;
  const cells = notebook?.cells;
  const rows = useMemo(
    () =>
      lineageRows(
        (cells ?? []).filter(cell => cell !== undefined),
        best,
      ),
    [cells, best],
  );
  if (rows.length === 0) {
    if (notebook?.status === 'loading') return <Loading>Reading the experiments …</Loading>;
    return (
      <EmptyState icon={<GitBranch size={28} />} title="Nothing was built yet">
        Once the baseline is measured, this shows what each kept experiment was built on, and which lines were
        left.
      </EmptyState>
    );
  }
  return (
    <section aria-label="Lineage" className="flex min-h-0 flex-1 flex-col">
      <p className="border-line border-b px-5 py-2 text-muted text-sm">{describeRows(rows)}</p>
      <Tree card={card} rows={rows} />
    </section>
  );
}

function Tree({ card, rows }: { readonly card: StudyCard; readonly rows: readonly LineageRow[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    ...{ count: rows.length, estimateSize: () => ROW_PX, overscan: 8 },
    getScrollElement: () => scroller.current,
  });
  const places = placesOf(rows);
  return (
    <div ref={scroller} className="@container min-h-0 flex-1 overflow-y-auto">
      <ol aria-label="Experiments by lineage" style={{ height: virtual.getTotalSize() }} className="relative">
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row ? (
            <li
              key={row.cell.n}
              style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
              className="absolute inset-x-0 top-0 flex max-w-[96rem] items-center gap-3 px-5 hover:bg-sunken"
            >
              <Rails row={row} places={places} height={ROW_PX} />
              <Node card={card} row={row} />
            </li>
          ) : null;
        })}
      </ol>
    </div>
  );
}

function Node({ card, row }: { readonly card: StudyCard; readonly row: LineageRow }) {
  const { cell, isHeld } = row;
  const { metric } = card.contract;
  const value = cell.record?.mean ?? cell.metric;
  return (
    <>
      <span className="tabular w-12 shrink-0 text-muted text-sm">#{cell.n}</span>
      <span className="flex w-28 shrink-0 @max-xl:hidden @max-3xl:w-20">
        <VerdictBadge
          word={cell.verdict?.word ?? null}
          phase={cell.phase}
          isRolledBack={cell.verdict?.reason === 'rolled_back'}
        />
      </span>
      <span className="min-w-0 flex-1">
        <button
          type="button"
          onClick={() => jumpTo(cell.n)}
          title={cell.hypothesis ?? undefined}
          className={classNames(
            'flex max-w-full text-left before:absolute before:inset-0 before:content-[""]',
            isHeld ? 'font-medium' : 'text-muted',
          )}
        >
          <OneLine text={cell.hypothesis ?? 'Waiting for a hypothesis …'} />
        </button>
        <span className="block truncate text-muted text-xs">{notesOf(row).join(' · ')}</span>
      </span>
      <span className="tabular shrink-0 text-right text-sm" title={metric.name}>
        {value === null ? '' : formatMetric(value)}
      </span>
      <span className="tabular w-24 shrink-0 text-right text-muted text-sm @max-3xl:hidden">
        {cell.delta === null ? '' : formatDelta(cell.delta)}
      </span>
    </>
  );
}

function notesOf({ cell, tried }: LineageRow): readonly string[] {
  const { supersededBy, otherLine, combines } = cell;
  return [
    ...(supersededBy === null ? [] : [`superseded by #${supersededBy}`]),
    ...(otherLine === null ? [] : [`builds on #${otherLine}, from another line`]),
    ...(combines === null ? [] : [`combines #${combines[0]} with #${combines[1]}`]),
    ...(tried === 0 ? [] : [`${tried} tried on it and abandoned`]),
  ];
}
