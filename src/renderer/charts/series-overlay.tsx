import { memo } from 'react';
import type { Box } from '../../shared/charts/occupancy.ts';
import { formatNumber } from '../../shared/numbers.ts';
import { covers, drawable, indexWithin, nearestIndex, type SeriesLine, shownPoints } from './series-scale.ts';

type Scale = (value: number) => number;

/** In pixels. */
const GAP_SPACING = 9;

type GapProps = {
  readonly lines: readonly SeriesLine[];
  readonly plot: Box;
  readonly toX: Scale;
  readonly isLog: boolean;
};

/** Crosses at the bottom where values are missing; overlapping ones are merged. */
export const SeriesGaps = memo(function SeriesGaps({ lines, plot, toX, isLog }: GapProps) {
  return (
    <>
      {lines.map(line => (
        <path
          key={line.key}
          d={gapPath(line, plot, toX, isLog)}
          fill="none"
          stroke={line.colour}
          strokeWidth={1.5}
          opacity={line.isBehind ? 0.6 : 1}
        />
      ))}
    </>
  );
});

function gapPath(line: SeriesLine, plot: Box, toX: Scale, isLog: boolean): string {
  let path = '';
  let last = Number.NEGATIVE_INFINITY;
  line.y.forEach((value, index) => {
    if (drawable(value, isLog) !== null) return;
    const x = Math.round(toX(line.x[index] ?? 0));
    if (x < plot.left || x > plot.right || x - last < GAP_SPACING) return;
    last = x;
    path += `M${x - 3} ${plot.bottom - 8}l6 6m0-6l-6 6`;
  });
  return path;
}

type CrosshairProps = {
  readonly lines: readonly SeriesLine[];
  readonly plot: Box;
  readonly toX: Scale;
  readonly toY: Scale;
  /** The pointer's position in pixels. */
  readonly at: number;
  /** The pointer's position in the unit of x. */
  readonly value: number;
  readonly isLog: boolean;
};

/** A vertical line at the nearest point and a dot on each line. */
export function SeriesCrosshair({ lines, plot, toX, toY, at, value, isLog }: CrosshairProps) {
  const snapped = nearestX(lines, value);
  return (
    <>
      <path
        d={`M${snapped === null ? at : toX(snapped)} ${plot.top}V${plot.bottom}`}
        stroke="var(--line-strong)"
      />
      {lines.map(line => {
        const points = shownPoints(line);
        const index = indexWithin(points.x, snapped ?? value);
        const y = index === null ? null : drawable(points.y[index], isLog);
        if (index === null || y === null) return null;
        const py = toY(y);
        if (py < plot.top || py > plot.bottom) return null;
        return (
          <circle
            key={line.key}
            cx={toX(points.x[index] ?? 0)}
            cy={py}
            r={4}
            fill={line.colour}
            stroke="var(--surface)"
            strokeWidth={1.5}
          />
        );
      })}
    </>
  );
}

type TipProps = {
  readonly lines: readonly SeriesLine[];
  readonly value: number;
  readonly xLabel: string;
  readonly unit: string | null;
};

/** The value of each line at the pointer; lines drawn on top come first. */
export function SeriesTip({ lines, value, xLabel, unit }: TipProps) {
  const snapped = nearestX(lines, value) ?? value;
  return (
    <>
      <div className="tabular text-muted">
        {xLabel} {formatNumber(snapped)}
      </div>
      {[...lines].reverse().map(line => {
        if (line.x.length === 0) return null;
        const points = shownPoints(line);
        const index = indexWithin(points.x, snapped);
        const y = index === null ? null : drawable(points.y[index], false);
        const printed = line.smooth ? valueAt(line, snapped) : null;
        return (
          <div key={line.key} className="mt-0.5 flex items-center gap-1.5">
            <LineSwatch line={line} />
            <span className="min-w-0 flex-1 truncate">{line.label}</span>
            <span className="tabular font-medium">
              {index === null ? endWords(line, snapped) : y === null ? 'not a number' : formatNumber(y)}
              {printed === null ? null : (
                <span className="font-normal text-muted"> ({formatNumber(printed)})</span>
              )}
              {y !== null && unit ? <span className="font-normal text-muted"> {unit}</span> : null}
            </span>
          </div>
        );
      })}
    </>
  );
}

/** The value printed nearest to `at`; null beyond the ends. */
function valueAt({ x, y }: SeriesLine, at: number): number | null {
  const index = indexWithin(x, at);
  return index === null ? null : drawable(y[index], false);
}

/** Says where a line without a value at `at` ends or begins. */
function endWords({ x }: SeriesLine, at: number): string {
  const [first = 0, last = 0] = [x[0], x.at(-1)];
  return at < first ? `from ${formatNumber(first)}` : `ended at ${formatNumber(last)}`;
}

/** A sample of the line, for legends. */
export function LineSwatch({ line }: { readonly line: SeriesLine }) {
  return (
    <svg aria-hidden="true" width={14} height={8} className="shrink-0">
      <path
        d="M1 4h12"
        stroke={line.colour}
        strokeWidth={2}
        strokeOpacity={line.isBehind ? 0.6 : 1}
        {...(line.isBehind ? { strokeDasharray: '4 3' } : {})}
      />
    </svg>
  );
}

/** The x of the front lines' point nearest to `value`; if only lines behind reach that far, of all lines. */
function nearestX(lines: readonly SeriesLine[], value: number): number | null {
  const front = lines.filter(line => !line.isBehind);
  const isFront = front.some(line => covers(line.x, value)) || !lines.some(line => covers(line.x, value));
  let nearest: number | null = null;
  for (const line of isFront && front.length > 0 ? front : lines) {
    const index = nearestIndex(line.x, value);
    const x = index === null ? undefined : line.x[index];
    if (x !== undefined && (nearest === null || Math.abs(x - value) < Math.abs(nearest - value))) nearest = x;
  }
  return nearest;
}
