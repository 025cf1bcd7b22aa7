import { useDeferredValue, useMemo } from 'react';
import { noiseBand } from '../../../shared/charts/noise-band.ts';
import { progressModel } from '../../../shared/charts/progress-model.ts';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import { hoverCell, revealCell, setChartView } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { ProgressChart, type ProgressChartProps } from '../../charts/progress-chart.tsx';
import { lastSittingFrom, progressRows } from '../../charts/progress-rows.ts';
import { PANEL, useChartHeight } from './chart-place.tsx';
import { ChartTools } from './chart-tools.tsx';

const NONE: readonly (Cell | undefined)[] = [];

/** The progress chart above the notebook, with its controls. */
export function ChartPanel({
  card,
  listed,
}: {
  readonly card: StudyCard;
  /** Numbers that pass the filter; null for all. */
  readonly listed: ReadonlySet<number> | null;
}) {
  // The cells below come first, and so do the user's actions: the points follow.
  const cells = useDeferredValue(
    useStore(state => state.notebook?.cells),
    NONE,
  );
  const isLoading = useStore(state => state.notebook?.status === 'loading');
  const marks = useStore(state => state.notebook?.marks);
  const axis = useStore(state => state.view.chart.axis);
  const isHidden = useStore(state => state.view.isChartHidden);
  const goal = card.contract.metric.goal;
  // Every event of the study brings a new object with the same claims, and there are many points.
  const claimsText = useMemo(() => JSON.stringify(card.claims), [card.claims]);
  const claims = useMemo(() => JSON.parse(claimsText) as StudyCard['claims'], [claimsText]);
  const shown = useDeferredValue(listed);
  const rows = useMemo(() => progressRows(cells ?? [], claims, shown), [cells, claims, shown]);
  const { bestExperiment } = card.tally;
  const model = useMemo(
    () => progressModel(rows, goal, axis, bestExperiment),
    [rows, goal, axis, bestExperiment],
  );
  const band = useMemo(() => noiseBand(claims), [claims]);
  const sittingFrom = lastSittingFrom(marks ?? [], card.cells);
  return (
    <div className={PANEL}>
      <ChartTools
        card={card}
        rows={rows}
        model={model}
        band={band}
        sittingFrom={sittingFrom}
        isHidden={isHidden}
      />
      {isHidden ? null : (
        <Chart card={card} model={model} band={band} sittingFrom={sittingFrom}>
          {isLoading ? 'Reading the experiments …' : 'The first point is the baseline: the code as it is.'}
        </Chart>
      )}
    </div>
  );
}

/** Only this component reads the selection and the pointer, so that nothing else renders when they change. */
function Chart({
  card,
  ...props
}: { readonly card: StudyCard } & Pick<ProgressChartProps, 'model' | 'band' | 'sittingFrom' | 'children'>) {
  const view = useStore(state => state.view.chart);
  const selected = useStore(state => state.view.selected);
  const hovered = useStore(state => state.hovered);
  return (
    <ProgressChart
      {...props}
      metricName={card.contract.metric.name}
      tally={card.tally}
      selected={selected}
      hovered={hovered}
      view={view}
      onView={setChartView}
      onSelect={revealCell}
      onHover={hoverCell}
      height={useChartHeight()}
    />
  );
}
