import { Table2 } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, type PointerEvent, useMemo, useRef, useState } from 'react';
import { shorten } from '../../../shared/charts/shorten.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { clamp, formatNumber } from '../../../shared/numbers.ts';
import { goTo, hoverCell, jumpTo } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { useWidth } from '../../charts/use-width.ts';
import { Button } from '../../ui/button.tsx';
import { quoteName } from '../table/filter-suggestions.ts';
import { rememberLayout, restoreLayout } from '../table/table-layout.ts';
import type { ConstantAxis } from './constant-axis.ts';
import type { Trial, Trials } from './use-trials.ts';

const HEIGHT = 250;
const PLOT = { left: 46, right: 46, top: 42, bottom: 14 };
/** About the width of a letter of an axis' name. */
const LETTER_PX = 7.2;
/** With more, the name of the first axis would not fit beside the edge. */
const MOST_LETTERS = 16;
/** More axes would be too close together. */
const MOST_AXES = 8;
/** More lines would merge into one surface. */
const MOST_LINES = 1_500;
const BRUSH_PX = 12;
/** How far a key moves an end of a range. */
const KEY_STEP = 0.05;
/** A shorter drag does not count. */
const LEAST_BRUSH = 0.01;

/** A range on an axis, from 0 at its lower end to 1. */
type Range = readonly [number, number];
type Line = { readonly trial: Trial; readonly places: readonly number[] };

/**
 * Each experiment is a line through its constants to its metric; a range on an axis keeps only the lines that pass
 * through it.
 */
export function ParallelPlot({
  card,
  trials,
  axes: all,
  metricAxis,
}: {
  readonly card: StudyCard;
  readonly trials: Trials;
  readonly axes: readonly ConstantAxis[];
  readonly metricAxis: ConstantAxis;
}) {
  const { ref, width } = useWidth();
  const axes = useMemo(() => [...all.slice(0, MOST_AXES), metricAxis], [all, metricAxis]);
  const [ranges, setRanges] = useState<ReadonlyMap<string, Range>>(new Map());
  const hovered = useStore(state => state.hovered);
  const lines = useMemo(() => linesOf(trials.all, axes, metricAxis), [trials.all, axes, metricAxis]);
  const isThrough = ({ places }: Line) =>
    axes.every(({ name }, index) => {
      const range = ranges.get(name);
      const place = places[index] ?? 0;
      return !range || (place >= range[0] && place <= range[1]);
    });
  const through = lines.filter(isThrough);
  const between = Math.max(40, width - PLOT.left - PLOT.right) / (axes.length - 1);
  const toX = (index: number) => PLOT.left + index * between;
  // Neighbours whose names would touch have them in two lines.
  const isTight = axes.some(({ name }) => Math.min(name.length, MOST_LETTERS) * LETTER_PX > between);
  const toY = (place: number) =>
    HEIGHT - PLOT.bottom - clamp(place, 0, 1) * (HEIGHT - PLOT.top - PLOT.bottom);
  const toPath = ({ places }: Line) =>
    places.map((place, index) => `${index === 0 ? 'M' : 'L'}${toX(index)} ${toY(place).toFixed(1)}`).join('');
  const setRange = (name: string, range: Range | null) => {
    const next = new Map(ranges);
    if (range) next.set(name, range);
    else next.delete(name);
    setRanges(next);
  };
  const told = lines.find(({ trial }) => trial.cell.n === hovered);
  const follow = (event: MouseEvent) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return nearestLine(through, event.clientX - left, event.clientY - top, toX, toY);
  };
  const drawn = through.length < lines.length ? [...sample(lines), ...sample(through)] : sample(lines);
  return (
    <section
      aria-label="Constants and metric together"
      className="rounded-lg border border-line bg-surface p-4"
    >
      <div className="mb-1 flex min-h-7 flex-wrap items-center gap-2">
        <h2 className="font-medium">Constants and metric together</h2>
        <span className="tabular mr-auto text-muted text-xs" aria-live="polite">
          {ranges.size === 0
            ? 'Drag along an axis to choose a stretch of it.'
            : `${through.length} of ${lines.length} pass`}
          {lines.length > MOST_LINES ? ` ${MOST_LINES} lines are drawn.` : ''}
        </span>
        {ranges.size > 0 ? (
          <>
            <Button size="small" onClick={() => showInTable(card, axes, ranges)}>
              <Table2 size={13} aria-hidden /> Show them in the table
            </Button>
            <Button size="small" kind="quiet" onClick={() => setRanges(new Map())}>
              Clear
            </Button>
          </>
        ) : null}
      </div>
      <div ref={ref} className="relative" style={{ height: HEIGHT }}>
        <svg
          aria-hidden="true"
          width={width}
          height={HEIGHT}
          className="tabular absolute inset-0 select-none"
          style={{ fontSize: 11 }}
          onPointerMove={event => hoverCell(follow(event))}
          onPointerLeave={() => hoverCell(null)}
          onClick={event => {
            const n = follow(event);
            if (n !== null) jumpTo(n);
          }}
        >
          <g fill="none" strokeWidth={1}>
            <path d={pathOf(drawn, line => !isThrough(line), toPath)} stroke="var(--line)" opacity={0.7} />
            <path
              d={pathOf(drawn, line => isThrough(line) && !isKept(line), toPath)}
              stroke="var(--dot-discard)"
              opacity={0.75}
            />
            <path
              d={pathOf(drawn, line => isThrough(line) && isKept(line), toPath)}
              stroke="var(--keep)"
              strokeWidth={1.4}
            />
            {trials.incumbent ? (
              <path
                d={pathOf(lines, ({ trial }) => trial === trials.incumbent, toPath)}
                stroke="var(--accent)"
                strokeWidth={2}
                strokeDasharray="5 3"
              />
            ) : null}
            {told ? <path d={toPath(told)} stroke="var(--ink)" strokeWidth={2} /> : null}
          </g>
          {axes.map((axis, index) => (
            <AxisLine
              key={axis.name}
              axis={axis}
              x={toX(index)}
              toY={toY}
              isLast={index === axes.length - 1}
              isRaised={isTight && index % 2 === 1}
              letters={Math.min(MOST_LETTERS, Math.floor((isTight ? 2 : 1) * (between / LETTER_PX)))}
            />
          ))}
        </svg>
        {axes.map((axis, index) => (
          <Brush
            key={axis.name}
            axis={axis}
            x={toX(index)}
            range={ranges.get(axis.name) ?? null}
            onChange={range => setRange(axis.name, range)}
          />
        ))}
      </div>
    </section>
  );
}

function linesOf(
  all: readonly Trial[],
  axes: readonly ConstantAxis[],
  metricAxis: ConstantAxis,
): readonly Line[] {
  return all.flatMap(trial => {
    const places = axes.map(axis => {
      if (axis === metricAxis) return trial.metric === null ? null : axis.placeOf(String(trial.metric));
      const text = trial.constants.get(axis.name);
      return text === null ? null : axis.placeOf(text);
    });
    return places.every(place => place !== null) ? [{ trial, places }] : [];
  });
}

function isKept({ trial }: Line): boolean {
  return trial.cell.verdict?.word === 'keep';
}

/** All keeps, and an even selection of the others up to the limit. */
function sample(lines: readonly Line[]): readonly Line[] {
  if (lines.length <= MOST_LINES) return lines;
  const every = Math.ceil(lines.length / MOST_LINES);
  return lines.filter((line, place) => isKept(line) || place % every === 0);
}

function pathOf(
  lines: readonly Line[],
  isWanted: (line: Line) => boolean,
  toPath: (line: Line) => string,
): string {
  return lines.filter(isWanted).map(toPath).join('');
}

function nearestLine(
  lines: readonly Line[],
  x: number,
  y: number,
  toX: (index: number) => number,
  toY: (place: number) => number,
): number | null {
  let best: number | null = null;
  let least = 8;
  for (const { trial, places } of lines) {
    for (let index = 1; index < places.length; index += 1) {
      const [from, to] = [toX(index - 1), toX(index)];
      if (x < from || x > to) continue;
      const share = (x - from) / (to - from);
      const apart = Math.abs(toY(places[index - 1] ?? 0) * (1 - share) + toY(places[index] ?? 0) * share - y);
      if (apart < least) [best, least] = [trial.cell.n, apart];
    }
  }
  return best;
}

function AxisLine({
  axis,
  x,
  toY,
  isLast,
  isRaised,
  letters,
}: {
  readonly axis: ConstantAxis;
  readonly x: number;
  readonly toY: (place: number) => number;
  readonly isLast: boolean;
  /** Whether the name stands in the upper of two lines. */
  readonly isRaised: boolean;
  /** How many letters of the name there is room for. */
  readonly letters: number;
}) {
  return (
    <g>
      <path d={`M${x} ${toY(0)}V${toY(1)}`} stroke="var(--line-strong)" shapeRendering="crispEdges" />
      <text
        x={x}
        y={isRaised ? 14 : 28}
        textAnchor="middle"
        fill="var(--ink)"
        fontWeight={isLast ? 600 : 400}
      >
        {shorten(axis.name, letters)}
      </text>
      <g
        fill="var(--muted)"
        stroke="var(--surface)"
        strokeWidth={3}
        paintOrder="stroke"
        textAnchor={isLast ? 'start' : 'end'}
      >
        {axis.ticks.map(({ at, label }) => (
          <text key={at} x={isLast ? x + 6 : x - 6} y={toY(at) + 4}>
            {shorten(label, 9)}
          </text>
        ))}
      </g>
    </g>
  );
}

/** A range on an axis: dragged, or moved by the arrow keys and widened with Shift. */
function Brush({
  axis,
  x,
  range,
  onChange,
}: {
  readonly axis: ConstantAxis;
  readonly x: number;
  readonly range: Range | null;
  readonly onChange: (range: Range | null) => void;
}) {
  const from = useRef<number | null>(null);
  const placeAt = (event: PointerEvent<HTMLElement>) => {
    const { top, height } = event.currentTarget.getBoundingClientRect();
    return clamp(1 - (event.clientY - top) / height, 0, 1);
  };
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (from.current === null) return;
    const to = placeAt(event);
    const isFar = Math.abs(to - from.current) > LEAST_BRUSH;
    onChange(isFar ? [Math.min(from.current, to), Math.max(from.current, to)] : null);
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowUp' ? KEY_STEP : event.key === 'ArrowDown' ? -KEY_STEP : 0;
    if (event.key === 'Escape' && range) onChange(null);
    else if (step !== 0) {
      const [low, high] = range ?? [0, 0.25];
      const next: Range = event.shiftKey
        ? [low, Math.max(low + KEY_STEP, clamp(high + step, 0, 1))]
        : [clamp(low + step, 0, 1), clamp(high + step, 0, 1)];
      onChange(range ? next : [low, high]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const height = HEIGHT - PLOT.top - PLOT.bottom;
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Stretch of ${axis.name}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * (range?.[0] ?? 0))}
      aria-valuetext={range ? describeRange(axis, range) : 'all of it'}
      title={range ? describeRange(axis, range) : undefined}
      onKeyDown={press}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = placeAt(event);
      }}
      onPointerMove={drag}
      onPointerUp={event => {
        drag(event);
        from.current = null;
      }}
      className="absolute cursor-crosshair touch-none rounded-sm hover:bg-accent-soft/60"
      style={{ left: x - BRUSH_PX / 2, width: BRUSH_PX, top: PLOT.top, height }}
    >
      {range ? (
        <span
          className="pointer-events-none absolute inset-x-0 rounded-sm border border-accent bg-accent/25"
          style={{ bottom: range[0] * height, height: Math.max(2, (range[1] - range[0]) * height) }}
        />
      ) : null}
    </div>
  );
}

function describeRange(axis: ConstantAxis, range: Range): string {
  if (axis.kind === 'words') return wordsIn(axis, range).join(', ') || 'none of them';
  const [low, high] = range.map(place => formatNumber(axis.valueAt(place), 4));
  return `${low} to ${high}`;
}

function wordsIn({ ticks }: ConstantAxis, [low, high]: Range): readonly string[] {
  return ticks.filter(({ at }) => at >= low && at <= high).map(({ label }) => label);
}

/** The same ranges as a filter of the table. */
function showInTable(
  card: StudyCard,
  axes: readonly ConstantAxis[],
  ranges: ReadonlyMap<string, Range>,
): void {
  const parts = axes.flatMap(axis => {
    const range = ranges.get(axis.name);
    return range ? filterOf(axis, range) : [];
  });
  rememberLayout(card.gitDir, { ...restoreLayout(card.gitDir), filter: parts.join(' and ') });
  goTo({ name: 'study', tab: 'table' });
}

function filterOf(axis: ConstantAxis, range: Range): readonly string[] {
  const name = quoteName(axis.name);
  if (axis.kind === 'words') {
    const words = wordsIn(axis, range).map(word => `${name} = ${quoteName(word)}`);
    return words.length === 0 ? [] : [words.length === 1 ? (words[0] ?? '') : `(${words.join(' or ')})`];
  }
  const [low, high] = range.map(place => Number(axis.valueAt(place)?.toPrecision(6)));
  return [`${name} >= ${low}`, `${name} <= ${high}`];
}
