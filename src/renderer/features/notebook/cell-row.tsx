import { ChevronRight, GitCompareArrows } from 'lucide-react';
import { memo } from 'react';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, formatDelta, formatMetric } from '../../../shared/numbers.ts';
import { isBetter, type Measurement } from '../../../shared/study.ts';
import { hoverCell, toggleCell, toggleCompared } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Loading, lazyView } from '../../ui/lazy-view.tsx';
import { OneLine } from '../../ui/one-line.tsx';
import { VerdictBadge } from '../../ui/verdict-badge.tsx';
import { Marked, useMatcher } from './match-marks.tsx';
import { RowFacts } from './row-facts.tsx';

const CellDetails = lazyView(
  () => import('../cell/cell-details.tsx').then(file => file.CellDetails),
  <div className="mx-4 mb-4 ml-9 min-h-80 rounded-lg border border-line bg-surface">
    <Loading>Reading …</Loading>
  </div>,
);

type Props = {
  readonly card: StudyCard;
  readonly cell: Cell;
  readonly sparkline: readonly (number | null)[] | null;
};

/** The same elements in all rows: React passes over them when a row is filled anew. */
const CHEVRON = <ChevronRight size={15} aria-hidden />;
const COMPARE = <GitCompareArrows size={15} aria-hidden />;

/** Of the button that opens a cell; where the focus goes when a cell is selected by key. */
export function cellButtonId(n: number): string {
  return `cell-${n}`;
}

/** One experiment: closed it is one line to skim, opened it shows everything about it. */
export const CellRow = memo(function CellRow({ card, cell, sparkline }: Props) {
  const isOpen = useStore(state => state.view.opened.includes(cell.n));
  const isSelected = useStore(state => state.view.selected === cell.n);
  const isHovered = useStore(state => state.hovered === cell.n);
  const isCompared = useStore(state => state.view.compared.includes(cell.n));
  const matcher = useMatcher();
  return (
    <article
      aria-label={`Experiment ${cell.n}`}
      className={classNames(
        'group flow-root border-l-3',
        isSelected
          ? 'border-accent bg-accent-soft/50'
          : isHovered
            ? 'border-line-strong bg-sunken'
            : 'border-transparent',
      )}
      onMouseEnter={() => hoverCell(cell.n)}
      onMouseLeave={() => hoverCell(null)}
    >
      <div
        data-cell={cell.n}
        className="relative grid h-15 grid-cols-[1rem_2.25rem_1.25rem_minmax(0,1fr)_auto] items-center gap-x-2 pr-4 pl-2 @xl:grid-cols-[1.25rem_2.5rem_6.5rem_minmax(0,1fr)_auto]"
      >
        <span className={classNames('text-faint transition-transform', isOpen && 'rotate-90')}>
          {CHEVRON}
        </span>
        <span className="tabular text-right text-muted text-sm">#{cell.n}</span>
        {/* Where there is no room for its word the icon is left of it. */}
        <span className="flex overflow-clip whitespace-nowrap @xl:overflow-visible">
          <VerdictBadge
            word={cell.verdict?.word ?? null}
            phase={cell.phase}
            isRolledBack={cell.verdict?.reason === 'rolled_back'}
          />
        </span>
        <div className="min-w-0 @6xl:grid @6xl:grid-cols-[minmax(0,36rem)_minmax(16rem,1fr)] @6xl:items-center @6xl:gap-x-6">
          <button
            type="button"
            id={cellButtonId(cell.n)}
            aria-expanded={isOpen}
            onClick={() => toggleCell(cell.n)}
            title={cell.hypothesis ?? undefined}
            className="flex max-w-full text-left font-medium before:absolute before:inset-0 before:content-['']"
          >
            <OneLine
              text={cell.hypothesis ?? 'Waiting for a hypothesis …'}
              shown={part => <Marked text={part} matcher={matcher} />}
            />
          </button>
          <RowFacts card={card} cell={cell} matcher={matcher} />
        </div>
        <div className="flex items-center gap-3">
          <button
            type="button"
            aria-pressed={isCompared}
            aria-label={`Compare experiment ${cell.n}`}
            title="Mark for comparison (c)"
            onClick={() => toggleCompared(cell.n)}
            className={classNames(
              'relative hidden size-7 items-center justify-center @3xl:inline-flex rounded-md hover:bg-sunken',
              isCompared ? 'text-accent' : 'text-transparent focus-visible:text-muted group-hover:text-muted',
            )}
          >
            {COMPARE}
          </button>
          <div className="hidden w-24 justify-end @3xl:group-data-curves/list:flex">
            {sparkline && sparkline.length > 1 ? (
              <Sparkline y={sparkline} width={92} height={28} label={`Loss of experiment ${cell.n}`} />
            ) : null}
          </div>
          <div className="tabular w-22 whitespace-nowrap text-right">
            <p className={classNames('font-medium', cell.metric === null && 'text-faint')}>
              {cell.metric === null ? ABSENT : formatMetric(cell.record?.mean ?? cell.metric)}
            </p>
            <p
              className={classNames('text-xs', isGain(card, cell) ? 'text-keep' : 'text-muted')}
              title={cell.record && cell.record.runs > 1 ? describeRecord(cell.record) : undefined}
            >
              {cell.record && cell.record.runs > 1 ? <span className="mr-1">{cell.record.runs}×</span> : null}
              {cell.delta === null ? ' ' : formatDelta(cell.delta)}
            </p>
          </div>
        </div>
      </div>
      {isOpen ? <CellDetails key={cell.n} card={card} cell={cell} /> : null}
    </article>
  );
});

function describeRecord({ mean, runs }: Measurement): string {
  return `Mean of ${runs} runs: ${formatMetric(mean)}`;
}

function isGain(card: StudyCard, { delta, verdict }: Cell): boolean {
  // A number that did not count, such as one from other hardware, is no gain.
  if (delta === null || verdict?.word !== 'keep') return false;
  return isBetter(card.contract.metric.goal, delta, 0);
}
