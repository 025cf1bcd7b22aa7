import { type KeyboardEvent, type MouseEvent, memo, useMemo, useState } from 'react';
import { shorten } from '../../../shared/charts/shorten.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { clamp, counted, formatMetric } from '../../../shared/numbers.ts';
import { hoverCell, jumpTo } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { useWidth } from '../../charts/use-width.ts';
import type { ConstantAxis } from './constant-axis.ts';
import type { Trials } from './use-trials.ts';

const HEIGHT = 170;
const PLOT = { left: 58, right: 12, top: 12, bottom: 24 };
/** The largest distance from the pointer at which a point is still meant. */
const REACH_PX = 24;

type Point = {
  readonly n: number;
  readonly word: string;
  readonly text: string;
  readonly metric: number | null;
  readonly x: number;
  readonly y: number;
};

/** A constant's values against the metric. Arrow keys move from point to point, Enter opens the experiment. */
export function ScatterPlot({
  card,
  trials,
  axis,
  metricAxis,
}: {
  readonly card: StudyCard;
  readonly trials: Trials;
  readonly axis: ConstantAxis;
  readonly metricAxis: ConstantAxis;
}) {
  const { ref, width } = useWidth();
  const right = Math.max(PLOT.left + 40, width - PLOT.right);
  const bottom = HEIGHT - PLOT.bottom;
  const toX = (place: number) => PLOT.left + place * (right - PLOT.left);
  const toY = (place: number) => bottom - clamp(place, 0, 1) * (bottom - PLOT.top);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the places depend on the width alone
  const points = useMemo(
    () => pointsOf(trials, axis, metricAxis).map(point => ({ ...point, x: toX(point.x), y: toY(point.y) })),
    [trials, axis, metricAxis, right],
  );
  const [at, setAt] = useState<number | null>(null);
  const hovered = useStore(state => state.hovered);
  const told = points.find(({ n }) => n === (at ?? hovered)) ?? null;
  const choose = (n: number | null) => {
    setAt(n);
    hoverCell(n);
  };
  const incumbent = trials.incumbent?.constants.get(axis.name) ?? null;
  const incumbentAt = incumbent === null ? null : axis.placeOf(incumbent);
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0) choose(neighbour(points, at, step));
    else if (event.key === 'Enter' && at !== null) jumpTo(at);
    else return;
    event.preventDefault();
  };
  const pointAt = (event: MouseEvent) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return nearest(points, event.clientX - left, event.clientY - top)?.n ?? null;
  };
  return (
    <figure className="m-0 rounded-lg border border-line bg-surface px-3 pt-2 pb-1">
      <figcaption className="flex items-baseline gap-2 text-sm">
        <span className="truncate font-mono font-medium text-xs" title={axis.name}>
          {axis.name}
        </span>
        {axis.isLog ? <span className="text-muted text-xs">log</span> : null}
        <span className="tabular ml-auto truncate text-muted text-xs">
          {incumbent === null ? '' : `best: ${incumbent}`}
        </span>
      </figcaption>
      <div
        ref={ref}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows go from point to point
        tabIndex={0}
        aria-label={`${axis.name} against ${card.contract.metric.name}: ${counted(points.length, 'experiment')}`}
        onKeyDown={press}
        onBlur={() => choose(null)}
        className="relative rounded"
        style={{ height: HEIGHT }}
      >
        <svg
          aria-hidden="true"
          width={width}
          height={HEIGHT}
          className={told ? 'tabular cursor-pointer select-none' : 'tabular select-none'}
          style={{ fontSize: 11 }}
          onPointerMove={event => hoverCell(pointAt(event))}
          onPointerLeave={() => hoverCell(null)}
          onClick={event => {
            const n = pointAt(event);
            if (n !== null) jumpTo(n);
          }}
        >
          <Frame axis={axis} metricAxis={metricAxis} {...{ toX, toY, right, bottom }} />
          <Marks points={points} />
          {incumbentAt === null ? null : (
            <path
              d={`M${toX(incumbentAt)} ${PLOT.top}V${bottom}`}
              stroke="var(--accent)"
              strokeWidth={1.25}
              strokeDasharray="4 3"
            />
          )}
          {told ? (
            <circle cx={told.x} cy={told.y} r={7} fill="none" stroke="var(--ink)" strokeWidth={1.5} />
          ) : null}
        </svg>
      </div>
      <p className="tabular h-5 truncate text-muted text-xs" aria-live={at === null ? 'off' : 'polite'}>
        {told
          ? `#${told.n} ${told.word}: ${told.text} → ${told.metric === null ? 'no number' : formatMetric(told.metric)}`
          : ''}
      </p>
    </figure>
  );
}

function pointsOf({ all }: Trials, axis: ConstantAxis, metricAxis: ConstantAxis): readonly Point[] {
  return all.flatMap(({ cell, constants, metric }) => {
    const text = constants.get(axis.name);
    const x = text === null ? null : axis.placeOf(text);
    if (text === null || x === null) return [];
    // Experiments without a number are at the top edge.
    const y = metric === null ? 1 : (metricAxis.placeOf(String(metric)) ?? 1);
    return [{ n: cell.n, word: cell.verdict?.word ?? '', text, metric, x, y }];
  });
}

const Frame = memo(function Frame({
  axis,
  metricAxis,
  toX,
  toY,
  right,
  bottom,
}: {
  readonly axis: ConstantAxis;
  readonly metricAxis: ConstantAxis;
  readonly toX: (place: number) => number;
  readonly toY: (place: number) => number;
  readonly right: number;
  readonly bottom: number;
}) {
  return (
    <>
      {axis.gaps.map(([from, to]) => (
        <rect
          key={from}
          x={toX(from)}
          width={Math.max(0, toX(to) - toX(from))}
          y={PLOT.top}
          height={bottom - PLOT.top}
          fill="var(--sunken)"
        />
      ))}
      <g stroke="var(--line)" shapeRendering="crispEdges">
        {metricAxis.ticks.map(({ at }) => (
          <path key={at} d={`M${PLOT.left} ${toY(at)}H${right}`} />
        ))}
        <path d={`M${PLOT.left} ${bottom}H${right}`} stroke="var(--line-strong)" />
      </g>
      <g fill="var(--muted)" textAnchor="end">
        {metricAxis.ticks.map(({ at, label }) => (
          <text key={at} x={PLOT.left - 6} y={toY(at) + 4}>
            {label}
          </text>
        ))}
      </g>
      <g fill="var(--muted)" textAnchor="middle">
        {axis.ticks.map(({ at, label }) => (
          <text key={at} x={toX(at)} y={bottom + 16}>
            {shorten(label, 12)}
          </text>
        ))}
      </g>
    </>
  );
});

const Marks = memo(function Marks({ points }: { readonly points: readonly Point[] }) {
  const path = (words: (word: string, metric: number | null) => boolean, draw: (point: Point) => string) =>
    onePerPixel(points.filter(({ word, metric }) => words(word, metric)))
      .map(draw)
      .join('');
  const dot =
    (radius: number) =>
    ({ x, y }: Point) =>
      `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
  return (
    <>
      <path
        d={path((word, metric) => word !== 'keep' && metric !== null, dot(2.8))}
        fill="none"
        stroke="var(--discard)"
        strokeWidth={1.2}
      />
      <path
        d={path(
          (word, metric) => word !== 'crash' && metric === null,
          ({ x, y }) => `M${x - 2.5} ${y - 2.5}h5v5h-5z`,
        )}
        fill="var(--discard)"
      />
      <path
        d={path(
          (word, metric) => word === 'crash' && metric === null,
          ({ x, y }) => `M${x - 3} ${y - 3}l6 6m0-6l-6 6`,
        )}
        stroke="var(--crash)"
        strokeWidth={1.5}
      />
      <path d={path((word, metric) => word === 'keep' && metric !== null, dot(3.6))} fill="var(--keep)" />
    </>
  );
});

/** A second mark on the same pixel would change nothing. */
function onePerPixel(points: readonly Point[]): readonly Point[] {
  const taken = new Map(points.map(point => [`${Math.round(point.x)} ${Math.round(point.y)}`, point]));
  return [...taken.values()];
}

function nearest(points: readonly Point[], x: number, y: number): Point | null {
  let best: Point | null = null;
  let least = REACH_PX;
  for (const point of points) {
    const apart = Math.hypot(point.x - x, point.y - y);
    if (apart < least) [best, least] = [point, apart];
  }
  return best;
}

/** The next point to the right or left; of equal values, in the order of the experiments. */
function neighbour(points: readonly Point[], n: number | null, step: 1 | -1): number | null {
  const order = points.toSorted((a, b) => a.x - b.x || a.n - b.n);
  const at = order.findIndex(point => point.n === n);
  const next = at < 0 ? (step > 0 ? 0 : order.length - 1) : clamp(at + step, 0, order.length - 1);
  return order[next]?.n ?? null;
}
