import { useDeferredValue, useMemo } from 'react';
import { noiseBand } from '../../../shared/charts/noise-band.ts';
import type { ProgressRow } from '../../../shared/charts/progress-model.ts';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import { hoverCell, revealCell, setChartView } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { ProgressChart } from '../../charts/progress-chart.tsx';
import { knownTime } from '../../format/known-time.ts';
import { useViewportHeight } from '../../ui/use-viewport-height.ts';
import { ChartTools } from './chart-tools.tsx';

/** The chart takes this share of the window, so that a small one still has room for cells. */
const SHARE = 0.24;
/** While a cell is open: what three fifths of the window for it, and the lines above and below the chart, leave. */
const SHARE_BESIDE_CELL = 0.4;
const OTHERS_PX = 216;
const NONE: readonly (Cell | undefined)[] = [];
const LEAST_PX = 108;
const MOST_PX = 340;

/** The progress chart above the notebook, with what can be done to it. */
export function ChartPanel({ card }: { readonly card: StudyCard }) {
  // The cells below come first, and so does what the user does meanwhile: the points follow.
  const cells = useDeferredValue(
    useStore(state => state.notebook?.cells),
    NONE,
  );
  const isLoading = useStore(state => state.notebook?.status === 'loading');
  const view = useStore(state => state.view.chart);
  const isHidden = useStore(state => state.view.isChartHidden);
  const selected = useStore(state => state.view.selected);
  const hasOpenCell = useStore(state => state.view.opened.length > 0);
  const hovered = useStore(state => state.hovered);
  const viewport = useViewportHeight();
  const wanted = Math.min(viewport * SHARE, hasOpenCell ? viewport * SHARE_BESIDE_CELL - OTHERS_PX : MOST_PX);
  const rows = useMemo<readonly ProgressRow[]>(
    () =>
      (cells ?? []).flatMap(cell =>
        cell
          ? [
              {
                n: cell.n,
                at: knownTime(cell) ?? Number.NaN,
                // A keep is one when the branch has moved; until then the best is another.
                word: cell.phase === 'recorded' ? (cell.verdict?.word ?? null) : null,
                // Keeps stand at the mean of their runs, as the head says.
                metric: cell.verdict?.word === 'keep' ? (cell.record?.mean ?? null) : cell.metric,
                hypothesis: cell.hypothesis,
              },
            ]
          : [],
      ),
    [cells],
  );
  return (
    <div className="relative border-line border-b bg-surface px-3">
      <ChartTools card={card} rows={rows} isHidden={isHidden} />
      {isHidden ? null : (
        <ProgressChart
          rows={rows}
          goal={card.contract.metric.goal}
          metricName={card.contract.metric.name}
          baseline={card.tally.baseline}
          band={noiseBand(card.claims)}
          selected={selected}
          hovered={hovered}
          view={view}
          onView={setChartView}
          onSelect={n => revealCell(n)}
          onHover={hoverCell}
          height={Math.round(Math.min(MOST_PX, Math.max(LEAST_PX, wanted)))}
        >
          {isLoading ? 'Reading the experiments …' : 'The first point is the baseline: the code as it is.'}
        </ProgressChart>
      )}
    </div>
  );
}
