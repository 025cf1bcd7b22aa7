import { bisectCenter, bisectLeft, bisectRight } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { LARGEST_DRAWN, widenBy } from '../../shared/charts/axis-range.ts';

/** `x` ascends. A null or non-finite `y` stands for NaN or infinity: a gap. */
export type SeriesPoints = { readonly x: readonly number[]; readonly y: readonly (number | null)[] };

/** One line of a chart. A null or non-finite `y` stands for NaN or infinity: a gap. `colour` as in CSS. */
export type SeriesLine = {
  readonly key: string;
  readonly label: string;
  /** Ascending. */
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly colour: string;
  /** Its moving average, drawn in its place with the original as a shadow behind. It covers the same range of x. */
  readonly smooth?: SeriesPoints | null;
  /** Whether it is drawn muted and dashed behind the others, as the incumbent's. */
  readonly isBehind?: boolean;
};

export type Domain = readonly [number, number];

/** Axes begin and end at multiples of about this share of their span. */
const ROUND_STEPS = 20;

/**
 * From the smallest to the largest x of the lines and `also`; null if there is no point. With `isLog`, all values are
 * above 0.
 */
export function wholeX(lines: readonly SeriesLine[], also: number | null, isLog = false): Domain | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const line of lines) {
    low = Math.min(low, line.x[0] ?? low);
    high = Math.max(high, line.x.at(-1) ?? high);
  }
  if (low > high) return null;
  if (also !== null) high = Math.max(high, also);
  if (high > low) return [low, high];
  return isLog ? [low / 1.5, low * 1.5] : [low - 0.5, low + 0.5];
}

/**
 * The range of y of the points in the domain of x, with a margin of at least 5 %, to a round number; ends fixed by
 * `wish` stay. With `isLog`, values that are not above 0 are ignored and the margin is a factor.
 */
export function fitSeriesY(
  lines: readonly SeriesLine[],
  x: Domain,
  wish: readonly [number | 'auto', number | 'auto'],
  isLog: boolean,
): Domain {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const line of lines) {
    const [from, to] = indexRange(line.x, x);
    for (let index = from; index < to; index += 1) {
      const value = drawable(line.y[index], isLog);
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) [low, high] = isLog ? [1, 10] : [0, 1];
  const [below, above] = isLog ? widenByFactor(low, high) : widenBySpan(low, high);
  const [wishedLow, wishedHigh] = wish;
  const bottom = wishedLow === 'auto' || (isLog && wishedLow <= 0) ? below : wishedLow;
  const top = wishedHigh === 'auto' || (isLog && wishedHigh <= 0) ? above : wishedHigh;
  return top > bottom ? [bottom, top] : [below, above];
}

/** The part of a line that can be drawn on a logarithmic x axis. */
export function onlyAboveZero(line: SeriesLine): SeriesLine {
  const cut = ({ x, y }: SeriesPoints): SeriesPoints => {
    const from = bisectRight(x, 0);
    return { x: x.slice(from), y: y.slice(from) };
  };
  return { ...line, ...cut(line), smooth: line.smooth ? cut(line.smooth) : null };
}

/** The visible line: its moving average if it has one. */
export function shownPoints(line: SeriesLine): SeriesPoints {
  return line.smooth ?? line;
}

/** Ticks and the position of values in pixels, on a linear or logarithmic axis. */
export function axisScale(domain: Domain, range: Domain, isLog: boolean) {
  const warp = isLog ? Math.log : (value: number) => value;
  const from = warp(domain[0]);
  const perUnit = (range[1] - range[0]) / (warp(domain[1]) - from);
  return {
    toPixel: (value: number) => range[0] + (warp(value) - from) * perUnit,
    toValue: (pixel: number) => {
      const warped = from + (pixel - range[0]) / perUnit;
      return isLog ? Math.exp(warped) : warped;
    },
  };
}

/** The value if it can be drawn, else null. */
export function drawable(value: number | null | undefined, isLog: boolean): number | null {
  if (value === null || value === undefined || !(Math.abs(value) <= LARGEST_DRAWN)) return null;
  return isLog && value <= 0 ? null : value;
}

/** The points inside the domain and one beyond each end, so that the line runs to the edge. */
export function indexRange(x: readonly number[], domain: Domain): readonly [number, number] {
  return [Math.max(0, bisectLeft(x, domain[0]) - 1), Math.min(x.length, bisectLeft(x, domain[1]) + 1)];
}

/** Index of the x nearest to `at`, or null for an empty series. */
export function nearestIndex(x: readonly number[], at: number): number | null {
  return x.length === 0 ? null : bisectCenter(x, at);
}

/** The same if `at` is between the ends of the series; null beyond them. */
export function indexWithin(x: readonly number[], at: number): number | null {
  return covers(x, at) ? nearestIndex(x, at) : null;
}

export function covers(x: readonly number[], at: number): boolean {
  return at >= (x[0] ?? Number.POSITIVE_INFINITY) && at <= (x.at(-1) ?? Number.NEGATIVE_INFINITY);
}

/** The first, last and lowest finite value; null if there is none. */
export function summarise(
  line: SeriesLine,
): { readonly first: number; readonly last: number; readonly min: number; readonly gaps: number } | null {
  const finite = line.y.filter((value): value is number => drawable(value, false) !== null);
  const first = finite[0];
  const last = finite.at(-1);
  if (first === undefined || last === undefined) return null;
  const min = finite.reduce((least, value) => Math.min(least, value), first);
  return { first, last, min, gaps: line.y.length - finite.length };
}

/** To a round number beyond the margin: an axis that moved with every new live point would tremble. */
function widenBySpan(low: number, high: number): Domain {
  const margin = widenBy(low, high, 0.05);
  const [from = low, to = high] = scaleLinear()
    .domain([low - margin, high + margin])
    .nice(ROUND_STEPS)
    .domain();
  return [from, to];
}

function widenByFactor(low: number, high: number): Domain {
  const factor = (high / low) ** 0.05 * 1.02;
  return [low / factor, high * factor];
}
