import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import { axisTicks, logTicks } from '../../shared/charts/axis-ticks.ts';
import type { Box } from '../../shared/charts/occupancy.ts';
import { clamp, formatNumber } from '../../shared/numbers.ts';
import { lazyView } from '../ui/lazy-view.tsx';
import { useSame } from '../ui/use-same.ts';
import { LineSwatch, SeriesCrosshair, SeriesGaps, SeriesTip } from './series-overlay.tsx';
import {
  axisScale,
  type Domain,
  fitSeriesY,
  onlyAboveZero,
  type SeriesLine,
  summarise,
  wholeX,
} from './series-scale.ts';
import { useFrame } from './use-frame.ts';
import { useWidth } from './use-width.ts';

const SeriesLines = lazyView(() => import('./series-lines.tsx').then(file => file.SeriesLines));

export type { SeriesLine } from './series-scale.ts';

type Props = {
  /** Lines behind others may come first or last; they are always drawn behind. */
  readonly lines: readonly SeriesLine[];
  /** What x counts: `seconds` or `step`. */
  readonly xLabel: string;
  /** The unit of y. */
  readonly unit?: string | null;
  /** Height of the drawing in pixels, without the legend. */
  readonly height: number;
  /** Accessible name. */
  readonly label: string;
  readonly isLogX?: boolean;
  readonly isLogY?: boolean;
  readonly domainY?: readonly [number | 'auto', number | 'auto'];
  /** A vertical line at this x; the axis extends to it. */
  readonly budgetX?: number | null;
  /** Called with the width of the drawing in pixels, so that the caller can request suitably thinned series. */
  onWidth?(pixels: number): void;
};

const AUTO = ['auto', 'auto'] as const;
const TIP_WIDTH = 260;
/** A drag shorter than this, in pixels, is a click. */
const LEAST_DRAG = 5;

/**
 * Lines over a run's time, steps or tokens. NaN and infinity are gaps with a cross at the bottom, and so are values
 * on a logarithmic axis that are not above 0. Dragging zooms into a range of x, a double click shows everything.
 */
export function SeriesChart(props: Props) {
  const { lines, xLabel, unit = null, height, label, isLogX = false } = props;
  const { ref, width } = useWidth();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const reportWidth = useEffectEvent((pixels: number) => props.onWidth?.(pixels));
  useEffect(() => {
    if (width > 0) reportWidth(width);
  }, [width]);
  const shown = useMemo(() => {
    const there = lines.filter(line => !hidden.has(line.key));
    const visible = isLogX ? there.map(onlyAboveZero) : there;
    return [...visible.filter(line => line.isBehind), ...visible.filter(line => !line.isBehind)];
  }, [lines, hidden, isLogX]);
  const toggle = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };
  return (
    <div role="group" aria-label={label} className="min-w-0">
      {(lines.length > 1 || lines[0]?.isBehind) && <Legend lines={lines} hidden={hidden} onToggle={toggle} />}
      <div ref={ref} className="relative w-full min-w-0" style={{ height }}>
        {width > 0 && <Drawing {...props} lines={shown} width={width} />}
      </div>
      <p className="sr-only">{lines.map(line => describe(line, xLabel, unit)).join(' ')}</p>
    </div>
  );
}

type LegendProps = {
  readonly lines: readonly SeriesLine[];
  readonly hidden: ReadonlySet<string>;
  onToggle(key: string): void;
};

function Legend({ lines, hidden, onToggle }: LegendProps) {
  return (
    <div className="flex flex-wrap gap-x-1 gap-y-0.5 pb-1 text-xs">
      {lines.map(line => (
        <button
          key={line.key}
          type="button"
          aria-pressed={!hidden.has(line.key)}
          onClick={() => onToggle(line.key)}
          className="flex items-center gap-1.5 rounded px-1.5 py-0.5 hover:bg-sunken aria-[pressed=false]:text-muted aria-[pressed=false]:line-through"
        >
          <LineSwatch line={line} />
          {line.label}
        </button>
      ))}
    </div>
  );
}

type DrawingProps = Props & { readonly width: number };

function Drawing({ lines, xLabel, unit = null, height, label, width, ...props }: DrawingProps) {
  const { isLogX = false, isLogY = false, domainY = AUTO, budgetX = null } = props;
  const [lowWish, highWish] = domainY;
  const hasUnit = Boolean(unit);
  const [zoom, setZoom] = useState<Domain | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const frame = useRef<HTMLDivElement | null>(null);
  const schedule = useFrame();

  const x = useSame(
    useMemo(() => {
      // Part of the zoomed range may not exist on a logarithmic axis.
      if (zoom && !(isLogX && zoom[0] <= 0)) return zoom;
      return wholeX(lines, budgetX, isLogX) ?? (isLogX ? ([1, 10] as const) : ([0, 1] as const));
    }, [lines, zoom, budgetX, isLogX]),
  );
  const y = useSame(
    useMemo(() => fitSeriesY(lines, x, [lowWish, highWish], isLogY), [lines, x, lowWish, highWish, isLogY]),
  );
  const drawn = useMemo(() => {
    const yTicks = (isLogY ? logTicks : axisTicks)(y, Math.max(2, Math.floor(height / 45)));
    const longest = Math.max(0, ...yTicks.map(tick => tick.label.length));
    const plot: Box = {
      left: Math.max(44, Math.ceil((longest * 6.8 + 14) / 8) * 8),
      top: hasUnit ? 20 : 8,
      right: Math.max(100, width - 12),
      bottom: height - 38,
    };
    const xCount = Math.max(3, Math.floor((plot.right - plot.left) / 80));
    const xTicks = isLogX ? logTicks(x, xCount) : axisTicks(x, xCount, xLabel === 'step');
    const across = axisScale(x, [plot.left, plot.right], isLogX);
    const up = axisScale(y, [plot.bottom, plot.top], isLogY);
    return {
      x,
      y,
      xTicks,
      yTicks,
      plot,
      toX: across.toPixel,
      toY: up.toPixel,
      fromX: across.toValue,
    };
  }, [x, y, isLogX, isLogY, width, height, xLabel, hasUnit]);
  const { plot } = drawn;

  const placeOf = (event: { clientX: number }) => {
    const left = frame.current?.getBoundingClientRect().left ?? 0;
    return clamp(event.clientX - left, plot.left, plot.right);
  };
  const endDrag = () => {
    if (drag && Math.abs(drag.to - drag.from) >= LEAST_DRAG) {
      setZoom([drawn.fromX(Math.min(drag.from, drag.to)), drawn.fromX(Math.max(drag.from, drag.to))]);
    }
    setDrag(null);
  };

  return (
    <>
      <div
        ref={frame}
        role="img"
        aria-label={label}
        className="absolute inset-0 cursor-crosshair"
        onPointerDown={event => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const from = placeOf(event);
          setDrag({ from, to: from });
        }}
        onPointerMove={event => {
          const at = placeOf(event);
          schedule(() => {
            setHover(at);
            setDrag(held => held && { ...held, to: at });
          });
        }}
        onPointerUp={endDrag}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => schedule(() => setHover(null))}
        onDoubleClick={() => setZoom(null)}
      >
        <SeriesLines
          lines={lines}
          width={width}
          height={height}
          plot={plot}
          x={drawn.x}
          y={drawn.y}
          xTicks={drawn.xTicks}
          yTicks={drawn.yTicks}
          isLogX={isLogX}
          isLogY={isLogY}
          budgetX={budgetX}
        />
        <svg
          aria-hidden="true"
          width={width}
          height={height}
          className="pointer-events-none absolute inset-0"
        >
          <SeriesGaps lines={lines} plot={plot} toX={drawn.toX} isLog={isLogY} />
          <text x={plot.right} y={height - 4} fill="var(--muted)" fontSize={11} textAnchor="end">
            {xLabel}
          </text>
          {unit && (
            <text x={4} y={12} fill="var(--muted)" fontSize={11}>
              {unit}
            </text>
          )}
          {hover !== null && !drag && (
            <SeriesCrosshair {...drawn} lines={lines} at={hover} value={drawn.fromX(hover)} isLog={isLogY} />
          )}
          {drag && (
            <rect
              x={Math.min(drag.from, drag.to)}
              width={Math.abs(drag.to - drag.from)}
              y={plot.top}
              height={plot.bottom - plot.top}
              fill="var(--accent)"
              fillOpacity={0.14}
            />
          )}
        </svg>
        {hover !== null && !drag && lines.length > 0 && (
          <div
            className="pointer-events-none absolute top-6 z-10 rounded-md border border-line bg-surface px-2.5 py-1.5 text-xs shadow-float"
            style={{
              width: TIP_WIDTH,
              left: hover + 14 + TIP_WIDTH <= width ? hover + 14 : Math.max(0, hover - 14 - TIP_WIDTH),
            }}
          >
            <SeriesTip lines={lines} value={drawn.fromX(hover)} xLabel={xLabel} unit={unit} />
          </div>
        )}
      </div>
      {zoom && (
        <button
          type="button"
          className="absolute right-3 top-0 rounded border border-line bg-surface px-2 text-xs text-muted hover:text-ink"
          onClick={() => setZoom(null)}
        >
          Show all
        </button>
      )}
    </>
  );
}

/** A text description of a line. */
function describe(line: SeriesLine, xLabel: string, unit: string | null): string {
  const summary = summarise(line);
  if (!summary) return `${line.label}: no values.`;
  const write = (value: number) => `${formatNumber(value)}${unit ? ` ${unit}` : ''}`;
  const gaps = summary.gaps > 0 ? `, ${summary.gaps} not a number` : '';
  return `${line.label} by ${xLabel}: first ${write(summary.first)}, last ${write(summary.last)}, lowest ${write(summary.min)}${gaps}.`;
}
