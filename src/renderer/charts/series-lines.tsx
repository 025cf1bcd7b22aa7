import { memo, useId, useMemo } from 'react';
import type { Tick } from '../../shared/charts/axis-ticks.ts';
import type { Box } from '../../shared/charts/occupancy.ts';
import { useSame } from '../ui/use-same.ts';
import { type Domain, drawable, indexRange, type SeriesLine, type SeriesPoints } from './series-scale.ts';

type Scale = (value: number) => number;

type Frame = {
  readonly width: number;
  readonly height: number;
  /** Where in the drawing the lines lie. */
  readonly plot: Box;
  readonly x: Domain;
  readonly toX: Scale;
  readonly toY: Scale;
  readonly isLogY: boolean;
};

type AxesProps = Pick<Frame, 'width' | 'height' | 'plot' | 'toX' | 'toY'> & {
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly budgetX: number | null;
};

/** How strong a line is drawn behind its moving average. */
const SHADOW = 0.3;
/** A surface of its own: what changes above it does not make the browser draw it again. */
const OWN_SURFACE = { willChange: 'transform' } as const;
const SURFACE = 'pointer-events-none absolute inset-0 tabular select-none';

/** The lines. Whoever draws the live line again does not draw the one behind it again. */
export const SeriesLines = memo(function SeriesLines({
  lines,
  ...frame
}: Frame & { readonly lines: readonly SeriesLine[] }) {
  const behind = useSame(lines.filter(line => line.isBehind));
  const front = useSame(lines.filter(line => !line.isBehind));
  return (
    <>
      <Lines {...frame} lines={behind} />
      <Lines {...frame} lines={front} />
    </>
  );
});

const Lines = memo(function Lines({ lines, ...frame }: Frame & { readonly lines: readonly SeriesLine[] }) {
  const clip = useId();
  const strokes = useMemo(() => lines.flatMap(strokesOf), [lines]);
  const { width, height, plot } = frame;
  return (
    <svg aria-hidden="true" width={width} height={height} className={SURFACE} style={OWN_SURFACE}>
      <clipPath id={clip}>
        <rect x={plot.left} y={plot.top} width={plot.right - plot.left} height={plot.bottom - plot.top} />
      </clipPath>
      <g clipPath={`url(#${clip})`} fill="none" strokeLinecap="round" strokeLinejoin="round">
        {strokes.map(({ key, line, points, isShadow }) => (
          <path
            key={key}
            data-line={line.label}
            d={linePath(points, frame)}
            stroke={line.colour}
            strokeWidth={line.isBehind || isShadow ? 1.25 : 1.75}
            strokeOpacity={(line.isBehind ? 0.6 : 1) * (isShadow ? SHADOW : 1)}
            strokeDasharray={line.isBehind ? '4 3' : undefined}
          />
        ))}
      </g>
    </svg>
  );
});

/** Lines across, the axes, and the budget. */
export const SeriesAxes = memo(function SeriesAxes(props: AxesProps) {
  const { width, height, plot, toX, toY, xTicks, yTicks, budgetX } = props;
  return (
    <svg
      aria-hidden="true"
      width={width}
      height={height}
      className={SURFACE}
      style={OWN_SURFACE}
      fontSize={11}
    >
      <g stroke="var(--line)" shapeRendering="crispEdges">
        {yTicks.map(({ at }) => (
          <path key={at} d={`M${plot.left} ${toY(at)}H${plot.right}`} />
        ))}
      </g>
      <path
        d={`M${plot.left} ${plot.bottom}H${plot.right}`}
        stroke="var(--line-strong)"
        shapeRendering="crispEdges"
      />
      <g fill="var(--muted)" textAnchor="end">
        {yTicks.map(({ at, label }) => (
          <text key={at} x={plot.left - 8} y={toY(at) + 4}>
            {label}
          </text>
        ))}
      </g>
      <g fill="var(--muted)" textAnchor="middle">
        {xTicks.map(({ at, label }) => (
          <text key={at} x={toX(at)} y={plot.bottom + 17}>
            {label}
          </text>
        ))}
      </g>
      {budgetX === null ? null : <Budget at={toX(budgetX)} plot={plot} />}
    </svg>
  );
});

function Budget({ at, plot }: { readonly at: number; readonly plot: Box }) {
  // Zoomed into a part of x, it may lie elsewhere.
  if (!(at >= plot.left && at <= plot.right + 0.5)) return null;
  return (
    <>
      <path
        d={`M${at} ${plot.top}V${plot.bottom}`}
        stroke="var(--line-strong)"
        strokeDasharray="5 4"
        shapeRendering="crispEdges"
      />
      <text x={at - 6} y={plot.top + 12} fill="var(--muted)" textAnchor="end">
        budget
      </text>
    </>
  );
}

type Stroke = {
  readonly key: string;
  readonly line: SeriesLine;
  readonly points: SeriesPoints;
  readonly isShadow: boolean;
};

/** A smoothed line lies over what it was made of. */
function strokesOf(line: SeriesLine): readonly Stroke[] {
  const { key, smooth } = line;
  if (!smooth) return [{ key, line, points: line, isShadow: false }];
  return [
    { key: `${key} as printed`, line, points: line, isShadow: true },
    { key, line, points: smooth, isShadow: false },
  ];
}

/** The `d` of the points in view; a value between two gaps is a dot of a round-capped stroke. */
function linePath(points: SeriesPoints, { x, toX, toY, isLogY }: Frame): string {
  const [from, to] = indexRange(points.x, x);
  let path = '';
  let isDrawing = false;
  for (let index = from; index < to; index += 1) {
    const value = drawable(points.y[index], isLogY);
    if (value !== null) {
      const place = `${toX(points.x[index] ?? 0).toFixed(1)} ${toY(value).toFixed(1)}`;
      path += isDrawing ? `L${place}` : `M${place}h0`;
    }
    isDrawing = value !== null;
  }
  return path;
}
