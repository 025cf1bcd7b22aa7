import { ChartLine, Download, Maximize } from 'lucide-react';
import { noiseBand } from '../../../shared/charts/noise-band.ts';
import type { ProgressAxis, ProgressRow } from '../../../shared/charts/progress-model.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { attempt, setChartView, toggleChart } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { progressCsv } from '../../charts/progress-csv.ts';
import { currentColours, download, progressSvg, svgToPng } from '../../charts/progress-export.ts';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Menu, MenuItem } from '../../ui/menu.tsx';

const AXES: readonly { readonly axis: ProgressAxis; readonly label: string }[] = [
  { axis: 'experiment', label: 'By experiment' },
  { axis: 'time', label: 'By time' },
  { axis: 'kept', label: 'Kept only' },
];

/** Size of an exported chart in pixels; the PNG has twice as many. */
const EXPORT_SIZE = { width: 1_200, height: 600 };

/** What the chart shows, and how to take it away. */
export function ChartTools({
  card,
  rows,
  isHidden,
}: {
  readonly card: StudyCard;
  readonly rows: readonly ProgressRow[];
  readonly isHidden: boolean;
}) {
  const view = useStore(state => state.view.chart);
  const isZoomed = view.x !== null || view.y !== null;
  const { metric } = card.contract;
  // Rows from elsewhere have none.
  const hasTimes = rows.length === 0 || rows.some(({ at }) => Number.isFinite(at));
  const svg = () =>
    progressSvg(rows, {
      ...EXPORT_SIZE,
      goal: metric.goal,
      metricName: metric.name,
      baseline: card.tally.baseline,
      band: noiseBand(card.claims),
      view,
      title: `${card.tag}: ${metric.name}`,
      colours: currentColours(),
    });
  const name = `${card.tag}-${metric.name}`.replace(/[^\w.-]+/g, '-');
  return (
    // On the line of the chart's title, which leaves the right of it free.
    <div
      className={classNames(
        'flex h-8 items-center justify-end gap-3',
        !isHidden && 'absolute top-0 right-3 z-[5]',
      )}
    >
      <div className="flex gap-1" role="group" aria-label="Horizontal axis">
        {AXES.filter(({ axis }) => axis !== 'time' || hasTimes).map(({ axis, label }) => (
          <button
            key={axis}
            type="button"
            aria-pressed={view.axis === axis}
            onClick={() => setChartView({ axis, x: null, y: null })}
            className={classNames(
              'rounded-md px-2 py-1 text-xs',
              view.axis === axis ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-sunken',
            )}
          >
            {label}
          </button>
        ))}
      </div>
      <div className="flex items-center">
        <IconButton
          label={isHidden ? 'Show the chart' : 'Hide the chart'}
          aria-pressed={!isHidden}
          onClick={toggleChart}
        >
          <ChartLine size={15} aria-hidden />
        </IconButton>
        <IconButton
          label="Show everything"
          shortcut="0"
          disabled={!isZoomed}
          onClick={() => setChartView({ ...view, x: null, y: null })}
        >
          <Maximize size={15} aria-hidden />
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
}
