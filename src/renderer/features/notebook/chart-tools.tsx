import { ChartLine, Download } from 'lucide-react';
import { memo } from 'react';
import { hasLogScale, type ProgressModel, type ProgressRow } from '../../../shared/charts/progress-model.ts';
import { type ProgressAxis, showAll } from '../../../shared/charts/progress-view.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { attempt, setChartView, switchChartScale, toggleChart } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { progressCsv } from '../../charts/progress-csv.ts';
import { currentColours, download, progressSvg, svgToPng } from '../../charts/progress-export.ts';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { toolLine } from './chart-place.tsx';
import { ChartRange } from './chart-range.tsx';

const AXES: readonly { readonly axis: ProgressAxis; readonly label: string }[] = [
  { axis: 'experiment', label: 'By experiment' },
  { axis: 'time', label: 'By time' },
  { axis: 'kept', label: 'Kept only' },
];

/** Size of an exported chart in pixels; the PNG has twice the resolution. */
const EXPORT_SIZE = { width: 1_200, height: 600 };

/** The chart's settings, and its export. */
export const ChartTools = memo(function ChartTools({
  card,
  rows,
  model,
  band,
  sittingFrom,
  isHidden,
}: {
  readonly card: StudyCard;
  readonly rows: readonly ProgressRow[];
  readonly model: ProgressModel;
  readonly band: readonly [number, number] | null;
  readonly sittingFrom: number | null;
  readonly isHidden: boolean;
}) {
  const view = useStore(state => state.view.chart);
  const isLog = hasLogScale(model, view.scale);
  const { metric } = card.contract;
  // Rows from elsewhere have none.
  const hasTimes = rows.length === 0 || rows.some(({ at }) => Number.isFinite(at));
  const svg = () =>
    progressSvg(rows, {
      ...EXPORT_SIZE,
      goal: metric.goal,
      metricName: metric.name,
      tally: card.tally,
      band,
      sittingFrom,
      view,
      title: `${card.tag}: ${metric.name}`,
      colours: currentColours(),
    });
  const name = `${card.tag}-${metric.name}`.replace(/[^\w.-]+/g, '-');
  return (
    <div className={toolLine(isHidden)}>
      <div className="flex gap-1" role="group" aria-label="Horizontal axis">
        {AXES.filter(({ axis }) => axis !== 'time' || hasTimes).map(({ axis, label }) => (
          <button
            key={axis}
            type="button"
            aria-pressed={view.axis === axis}
            onClick={() => setChartView({ ...showAll(view), axis, preset: view.preset })}
            className={classNames(
              'rounded-md px-2 py-1 text-xs',
              view.axis === axis ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-sunken',
            )}
          >
            {label}
          </button>
        ))}
      </div>
      <div className="flex items-center gap-1">
        <ChartRange view={view} model={model} sittingFrom={sittingFrom} band={band} />
        <button
          type="button"
          aria-pressed={isLog}
          aria-label="Log distance to the best"
          title="Log distance to the best (y)"
          disabled={!hasLogScale(model, 'log')}
          onClick={switchChartScale}
          className={classNames(
            'h-7 rounded-md px-2 text-xs disabled:text-faint',
            isLog ? 'bg-accent-soft font-medium text-accent' : 'text-muted enabled:hover:bg-sunken',
          )}
        >
          Log
        </button>
      </div>
      <div className="flex items-center">
        <IconButton
          label={isHidden ? 'Show the chart' : 'Hide the chart'}
          aria-pressed={!isHidden}
          onClick={toggleChart}
        >
          <ChartLine size={15} aria-hidden />
        </IconButton>
        <Menu
          trigger={
            <button
              type="button"
              aria-label="Export the chart"
              className="inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink"
            >
              <Download size={15} aria-hidden />
            </button>
          }
        >
          <MenuItem
            onSelect={() =>
              void attempt(async () =>
                download(`${name}.png`, await svgToPng(svg(), EXPORT_SIZE.width, EXPORT_SIZE.height, 2)),
              )
            }
          >
            As PNG
          </MenuItem>
          <MenuItem onSelect={() => download(`${name}.svg`, new Blob([svg()], { type: 'image/svg+xml' }))}>
            As SVG
          </MenuItem>
          <MenuItem
            onSelect={() =>
              download(`${name}.csv`, new Blob([progressCsv(rows, metric.name)], { type: 'text/csv' }))
            }
          >
            The points as CSV
          </MenuItem>
        </Menu>
      </div>
    </div>
  );
});
