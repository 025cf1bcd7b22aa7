import { memo, useId } from 'react';
import type { ProgressLayout } from '../../shared/charts/progress-layout.ts';
import type { MarkColumn } from '../../shared/charts/progress-marks.ts';
import { progressNote } from '../../shared/charts/progress-name.ts';
import type { Goal } from '../../shared/contract/contract.ts';
import { formatMetric } from '../../shared/numbers.ts';

type Props = {
  readonly layout: ProgressLayout;
  readonly metricName: string;
  readonly goal: Goal;
  readonly baseline: number | null;
};

/** The data's marks in the chart. Redrawn only for another layout; hovering uses a layer above. */
export const ProgressPoints = memo(function ProgressPoints({ layout, metricName, goal, baseline }: Props) {
  const clip = useId();
  const { plot, size, band } = layout;
  return (
    <svg
      aria-hidden="true"
      width={size.width}
      height={size.height}
      className="absolute inset-0 tabular select-none"
      // A separate layer, so that movement above it does not redraw the points.
      style={{ willChange: 'transform', fontSize: 11 }}
    >
      <clipPath id={clip}>
        <rect x={plot.left} y={plot.top} width={plot.right - plot.left} height={plot.bottom - plot.top} />
      </clipPath>
      {band ? (
        <rect
          x={plot.left}
          width={plot.right - plot.left}
          y={band[0]}
          height={band[1] - band[0]}
          fill="var(--keep)"
          opacity={0.13}
          clipPath={`url(#${clip})`}
        />
      ) : null}
      <g stroke="var(--line)" shapeRendering="crispEdges">
        {layout.y.ticks.map(tick => (
          <line key={tick.at} x1={plot.left} x2={plot.right} y1={tick.at} y2={tick.at} />
        ))}
      </g>
      <path
        d={`M${plot.left} ${plot.bottom}H${plot.right}`}
        stroke="var(--line-strong)"
        shapeRendering="crispEdges"
      />
      <g fill="var(--muted)" textAnchor="end">
        {layout.y.ticks.map(tick => (
          <text key={tick.at} x={plot.left - 8} y={tick.at + 4}>
            {tick.label}
          </text>
        ))}
      </g>
      <g fill="var(--muted)" textAnchor="middle">
        {layout.x.ticks.map(tick => (
          <text key={tick.at} x={tick.at} y={plot.bottom + 17}>
            {tick.label}
          </text>
        ))}
      </g>
      <g stroke="var(--line-strong)" shapeRendering="crispEdges">
        {layout.x.ticks.map(tick => (
          <line key={tick.at} x1={tick.at} x2={tick.at} y1={plot.bottom} y2={plot.bottom + 4} />
        ))}
      </g>
      <text x={8} y={14} fill="var(--ink)" fontWeight={600}>
        {metricName}
        <tspan dx={6} fill="var(--muted)" fontWeight={400}>
          {progressNote(layout, goal)}
        </tspan>
      </text>
      <text x={plot.right} y={plot.bottom + 34} fill="var(--muted)" textAnchor="end">
        {layout.xLabel}
      </text>
      <g fill="none" stroke="var(--dot-discard)" strokeLinecap="round" strokeWidth={3} opacity={0.5}>
        <Marks columns={layout.dimmed} />
      </g>
      <g
        fill="none"
        stroke="var(--dot-discard)"
        strokeLinecap={layout.discardCap}
        strokeWidth={layout.discardCap === 'round' ? 5 : 4}
      >
        <Marks columns={layout.discards} />
      </g>
      <g fill="var(--dot-discard)">
        <Marks columns={layout.discardsBeyond} />
      </g>
      <g fill="none" stroke="var(--crash)" strokeWidth={1.5}>
        <Marks columns={layout.crashes} />
      </g>
      <g clipPath={`url(#${clip})`}>
        {layout.baselineY !== null && (
          <path
            d={`M${plot.left} ${layout.baselineY}H${plot.right}`}
            stroke="var(--line-strong)"
            strokeDasharray="5 4"
          />
        )}
        <path d={layout.best} fill="none" stroke="var(--keep)" strokeWidth={1.75} strokeLinejoin="round" />
      </g>
      <g fill="var(--keep)">
        <Marks columns={layout.keepsBeyond} />
      </g>
      <g fill="none" stroke="var(--surface)" strokeLinecap="round" strokeWidth={layout.keepSize + 3}>
        <Marks columns={layout.keeps} />
      </g>
      <g fill="none" stroke="var(--keep)" strokeLinecap="round" strokeWidth={layout.keepSize}>
        <Marks columns={layout.keeps} />
      </g>
      <g fill="none" stroke="var(--surface)" strokeLinecap="round" strokeWidth={layout.keepSize - 3.5}>
        <Marks columns={layout.hollow} />
      </g>
      <g stroke="var(--surface)" strokeWidth={3} strokeLinejoin="round" paintOrder="stroke">
        {layout.hasWords && layout.baselineTextY !== null && (
          <text x={plot.right - 4} y={layout.baselineTextY} fill="var(--muted)" textAnchor="end">
            baseline {formatMetric(baseline)}
          </text>
        )}
        {layout.labels.map(label => (
          <text
            key={label.id}
            x={label.x}
            y={label.y}
            className="normal-nums"
            fill="var(--ink)"
            textAnchor={label.anchor}
            fontWeight={label.isBest ? 600 : 400}
          >
            {label.text}
          </text>
        ))}
      </g>
    </svg>
  );
});

function Marks({ columns }: { readonly columns: readonly MarkColumn[] }) {
  return columns.map(column => <path key={column.left} d={column.path} />);
}
