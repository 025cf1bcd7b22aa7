import type { SeriesView } from '../../../shared/notebook.ts';
import { AXIS_LABELS } from '../../charts/series-axis.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { seriesLine } from '../../charts/series-lines-of.ts';

const HEIGHT = 120;

/** Which series share a chart, by the ending of their names, which is the unit. */
const CHARTS = [
  { title: 'GPU utilisation', unit: '%', end: /^gpu(\d+)_utilization_percent$/, top: 100 },
  { title: 'GPU memory', unit: 'MiB', end: /^gpu(\d+)_memory_mib$/, top: null },
  { title: 'GPU temperature', unit: '°C', end: /^gpu(\d+)_temperature_celsius$/, top: null },
  { title: 'GPU power', unit: 'W', end: /^gpu(\d+)_power_watts$/, top: null },
  { title: 'GPU SM clock', unit: 'MHz', end: /^gpu(\d+)_sm_clock_mhz$/, top: null },
  { title: 'GPU memory clock', unit: 'MHz', end: /^gpu(\d+)_memory_clock_mhz$/, top: null },
  { title: 'GPU fan', unit: '%', end: /^gpu(\d+)_fan_percent$/, top: 100 },
  { title: 'CPU', unit: '%', end: /^cpu_percent$/, top: 100 },
  { title: 'Host memory', unit: 'GiB', end: /^host_memory_gib$/, top: null },
  { title: 'Load', unit: '', end: /^host_load$/, top: null },
  { title: 'Disks', unit: 'MiB/s', end: /^disk_(read|write)_mib_per_second$/, top: null },
] as const;

/** The machine's load during a run. Charts without a series are left out; if there is no GPU, it says so. */
export function MachineCharts({ series }: { readonly series: readonly SeriesView[] }) {
  const hasGpu = series.some(view => view.name.startsWith('gpu'));
  return (
    <section aria-label="Machine" className="flex flex-col gap-3">
      {hasGpu ? null : (
        <p className="text-muted text-sm">
          No GPU was seen during this run; only the machine itself was measured.
        </p>
      )}
      <div className="grid grid-cols-2 gap-4">
        {CHARTS.map(({ title, unit, end, top }) => {
          const lines = series.flatMap((view, place) => {
            const found = end.exec(view.name);
            return found ? [seriesLine(view, nameOf(found[1], title), place)] : [];
          });
          if (lines.length === 0) return null;
          return (
            <div key={title}>
              <h3 className="text-muted text-xs">{title}</h3>
              <SeriesChart
                lines={lines}
                xLabel={AXIS_LABELS.seconds}
                unit={unit}
                height={HEIGHT}
                label={`${title} during the run`}
                domainY={[0, top ?? 'auto']}
              />
            </div>
          );
        })}
      </div>
    </section>
  );
}

/** A line's name: what distinguishes it from the others in its chart. */
function nameOf(which: string | undefined, title: string): string {
  if (which === undefined) return title;
  return /^\d/.test(which) ? `GPU ${which}` : which;
}
