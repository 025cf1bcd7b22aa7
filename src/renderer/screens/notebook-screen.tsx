import { useMemo } from 'react';
import type { StudyCard } from '../../shared/notebook.ts';
import { ProgressChart } from '../charts/progress-chart.tsx';
import type { ProgressRow } from '../charts/progress-model.ts';
import { hoverCell, listCells, revealCell, setChartView } from '../state/actions.ts';
import { isActive, useStore } from '../state/store.ts';
import { ChartTools } from './chart-tools.tsx';
import { FilterBar } from './filter-bar.tsx';
import { NotebookList } from './notebook-list.tsx';
import { NowPanel } from './now-panel.tsx';

const CHART_HEIGHT = 264;

/** The chart, the filter, the cells; beside them what runs now. */
export function NotebookScreen({ card }: { readonly card: StudyCard }) {
  const notebook = useStore(state => state.notebook);
  const view = useStore(state => state.view);
  const hovered = useStore(state => state.hovered);
  const found = useStore(state => state.found);
  const order = useStore(state => state.settings.order);
  const cells = useMemo(
    () => listCells(notebook?.cells ?? [], view.filter, found, order),
    [notebook?.cells, view.filter, found, order],
  );
  const rows = useMemo<readonly ProgressRow[]>(
    () =>
      (notebook?.cells ?? []).flatMap(cell =>
        cell
          ? [
              {
                n: cell.n,
                at: cell.endedAt ?? cell.startedAt,
                word: cell.verdict?.word ?? null,
                metric: cell.metric,
                hypothesis: cell.hypothesis,
              },
            ]
          : [],
      ),
    [notebook?.cells],
  );
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="border-line border-b bg-surface px-3 pt-1">
          <ChartTools card={card} rows={rows} />
          <ProgressChart
            rows={rows}
            goal={card.contract.metric.goal}
            metricName={card.contract.metric.name}
            baseline={card.tally.baseline}
            selected={view.selected}
            hovered={hovered}
            view={view.chart}
            onView={setChartView}
            onSelect={n => revealCell(n)}
            onHover={hoverCell}
            height={CHART_HEIGHT}
          >
            {notebook?.status === 'loading'
              ? 'Reading the experiments …'
              : 'The first point is the baseline: the code as it is.'}
          </ProgressChart>
        </div>
        <FilterBar card={card} shown={cells.length} />
        <NotebookList card={card} cells={cells} />
      </div>
      {isActive(card) ? <NowPanel card={card} /> : null}
    </div>
  );
}
