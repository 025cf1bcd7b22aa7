import { type ComponentProps, memo, useMemo } from 'react';
import { CartesianGrid, Curve, Line, LineChart, ReferenceLine, XAxis, YAxis } from 'recharts';
import type { Tick } from '../../shared/charts/axis-ticks.ts';
import type { Box } from '../../shared/charts/occupancy.ts';
import { useSame } from '../ui/use-same.ts';
import { type Domain, drawable, indexRange, type SeriesLine, type SeriesPoints } from './series-scale.ts';

type Props = {
  readonly lines: readonly SeriesLine[];
  readonly width: number;
  readonly height: number;
  /** The area of the lines in the drawing. */
  readonly plot: Box;
  readonly x: Domain;
  readonly y: Domain;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly isLogX: boolean;
  readonly isLogY: boolean;
  readonly budgetX: number | null;
};

/** The opacity of a line behind its moving average. */
const SHADOW = 0.3;

/**
 * The lines and axes. Hovering does not redraw them, and redrawing the live line does not redraw the one behind it,
 * because each has its own layer.
 */
export const SeriesLines = memo(function SeriesLines({ lines, ...frame }: Props) {
  const behind = useSame(lines.filter(line => line.isBehind));
  const front = useSame(lines.filter(line => !line.isBehind));
  return (
    <>
      <Layer {...frame} lines={behind} hasAxes />
      <Layer {...frame} lines={front} hasAxes={false} />
    </>
  );
});

const Layer = memo(function Layer(props: Props & { readonly hasAxes: boolean }) {
  const { lines, width, height, plot, x, y, isLogX, isLogY, budgetX, hasAxes } = props;
  const strokes = useMemo(() => lines.flatMap(strokesOf), [lines]);
  const data = useMemo(
    () => strokes.map(({ points }) => pointsInView(points, x, isLogY)),
    [strokes, x, isLogY],
  );
  const axis = { stroke: 'var(--line-strong)', tick: { fill: 'var(--muted)', fontSize: 11 } };
  return (
    <LineChart
      width={width}
      height={height}
      margin={{
        top: plot.top,
        right: width - plot.right,
        bottom: hasAxes ? 0 : height - plot.bottom,
        left: hasAxes ? 0 : plot.left,
      }}
      accessibilityLayer={false}
      className="tabular select-none"
      style={{ position: 'absolute', inset: 0, willChange: 'transform' }}
    >
      {hasAxes && <CartesianGrid vertical={false} syncWithTicks stroke="var(--line)" />}
      <XAxis
        type="number"
        scale={isLogX ? 'log' : 'linear'}
        dataKey="x"
        domain={[x[0], x[1]]}
        allowDataOverflow
        ticks={props.xTicks.map(tick => tick.at)}
        tickFormatter={labelOf(props.xTicks)}
        interval={0}
        height={height - plot.bottom}
        tickLine={false}
        hide={!hasAxes}
        {...axis}
      />
      <YAxis
        type="number"
        scale={isLogY ? 'log' : 'linear'}
        domain={[y[0], y[1]]}
        allowDataOverflow
        ticks={props.yTicks.map(tick => tick.at)}
        tickFormatter={labelOf(props.yTicks)}
        interval={0}
        width={plot.left}
        axisLine={false}
        tickLine={false}
        hide={!hasAxes}
        {...axis}
      />
      {hasAxes && budgetX !== null && (
        <ReferenceLine
          x={budgetX}
          stroke="var(--line-strong)"
          strokeDasharray="5 4"
          label={{ value: 'budget', position: 'insideTopRight', fill: 'var(--muted)', fontSize: 11 }}
        />
      )}
      {strokes.map(({ key, line, isShadow }, index) => (
        <Line
          key={key}
          data={data[index] ?? []}
          dataKey="y"
          name={line.label}
          type="linear"
          stroke={line.colour}
          strokeWidth={line.isBehind || isShadow ? 1.25 : 1.75}
          strokeOpacity={(line.isBehind ? 0.6 : 1) * (isShadow ? SHADOW : 1)}
          {...(line.isBehind ? { strokeDasharray: '4 3' } : {})}
          strokeLinecap="round"
          strokeLinejoin="round"
          dot={false}
          activeDot={false}
          connectNulls={false}
          isAnimationActive={false}
          shape={PlainCurve}
        />
      ))}
    </LineChart>
  );
});

/**
 * A curve that Recharts cannot measure: it would measure the whole line on every redraw, for an animation that there is
 * none of.
 */
function PlainCurve({ pathRef, ...curve }: ComponentProps<typeof Curve>) {
  return <Curve {...curve} />;
}

type Stroke = {
  readonly key: string;
  readonly line: SeriesLine;
  readonly points: SeriesPoints;
  readonly isShadow: boolean;
};

/** A smoothed line is drawn over the original. */
function strokesOf(line: SeriesLine): readonly Stroke[] {
  const { key, smooth } = line;
  if (!smooth) return [{ key, line, points: line, isShadow: false }];
  return [
    { key: `${key} as printed`, line, points: line, isShadow: true },
    { key, line, points: smooth, isShadow: false },
  ];
}

function pointsInView(
  points: SeriesPoints,
  x: Domain,
  isLogY: boolean,
): readonly { readonly x: number; readonly y: number | null }[] {
  const [from, to] = indexRange(points.x, x);
  return points.x
    .slice(from, to)
    .map((at, index) => ({ x: at, y: drawable(points.y[from + index], isLogY) }));
}

function labelOf(ticks: readonly Tick[]): (at: number) => string {
  const labels = new Map(ticks.map(tick => [tick.at, tick.label]));
  return at => labels.get(at) ?? '';
}
