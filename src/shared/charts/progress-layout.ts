import { bisector } from 'd3-array';
import { clamp } from '../numbers.ts';
import { widenBy } from './axis-range.ts';
import { axisTicks } from './axis-ticks.ts';
import type { Box } from './occupancy.ts';
import type { PlacedLabel } from './place-labels.ts';
import { progressLabels } from './progress-labels.ts';
import { EdgeMarks, type MarkColumn, MarkColumns, PixelSet } from './progress-marks.ts';
import { hasLogScale, type ProgressModel, type ProgressPoint } from './progress-model.ts';
import {
  type Domain,
  distanceTicks,
  distanceWarp,
  LINEAR,
  makeScale,
  type ProgressScale,
  spreadTicks,
  type Warp,
} from './progress-scale.ts';
import type { ProgressView } from './progress-view.ts';

export type ProgressSize = { readonly width: number; readonly height: number };

/** Everything to draw, in pixels of the drawing. Marks are paths cut into columns. */
export type ProgressLayout = {
  readonly size: ProgressSize;
  readonly plot: Box;
  readonly x: ProgressScale;
  readonly y: ProgressScale;
  /** Whether y shows distances from the best on a logarithmic scale. */
  readonly isLog: boolean;
  /** Whether there is room for text beside the marks. */
  readonly hasWords: boolean;
  /** Empty if there is no room for it. */
  readonly xLabel: string;
  /** Zero-length segments for a stroke with caps, one per pixel: see `PixelSet`. */
  readonly discards: readonly MarkColumn[];
  /** Caps of the stroke: round dots, or square ones where there are thousands. See `MOST_ROUND_DOTS`. */
  readonly discardCap: 'round' | 'square';
  /** Zero-length segments for a stroke with round caps. */
  readonly keeps: readonly MarkColumn[];
  /** Diameter of a keep's dot: smaller if the dots would touch. */
  readonly keepSize: number;
  /** The keeps that are drawn hollow, because their gain is not proven or because their edit left the branch. */
  readonly hollow: readonly MarkColumn[];
  /** Why they are, for the note. */
  readonly hollowFor: readonly ('unproven' | 'superseded')[];
  /** Dots of experiments that a filter leaves out, as zero-length segments; none beyond the edges. */
  readonly dimmed: readonly MarkColumn[];
  /** Crosses on the bottom edge. */
  readonly crashes: readonly MarkColumn[];
  /** Triangles at the edge beyond which a discard lies, and squares at the bottom for discards without a number. */
  readonly discardsBeyond: readonly MarkColumn[];
  readonly keepsBeyond: readonly MarkColumn[];
  /** The running best as steps. */
  readonly best: string;
  readonly baselineY: number | null;
  /** Where the baseline's words are written, below the line if the chart's tools are above it. */
  readonly baselineTextY: number | null;
  /** Upper and lower end of the noise around the best. */
  readonly band: readonly [number, number] | null;
  /** Short hypotheses of keeps; `id` is the experiment. */
  readonly labels: readonly PlacedLabel[];
  /** Visible points are `model.points` from `first` on; these are their positions. */
  readonly first: number;
  readonly pointX: Float32Array;
  readonly pointY: Float32Array;
};

const MARGIN = { top: 36, right: 16, bottom: 42, left: 58 };
/** A lower drawing has no room for text: neither labels nor the name of the horizontal axis. */
const LOW_PX = 150;
const LOW_TOP = 28;
const LOW_BOTTOM = 22;
/** Room inside the plot for marks of values beyond its top, and for crashes at its bottom. */
const EDGE_TOP = 14;
const EDGE_BOTTOM = 24;
/** Height of a mark's label. */
const LABEL_ROOM = 13;
const KEEP_SIZE = 8.5;
const KEEP_SIZE_DENSE = 5.5;
/** With more dots than this, nobody sees their shape, and squares are a third cheaper to draw. */
const MOST_ROUND_DOTS = 1_500;

/** The chart's tools reach this far below the plot's top. */
const TOOLS_PX = 22;
/** From the baseline to the foot of its words. */
const BELOW_PX = 13;
const ABOVE_PX = 5;
const BASELINE_WIDTH_PX = 112;

export function layoutProgress(
  model: ProgressModel,
  view: Pick<ProgressView, 'x' | 'y'> & Partial<Pick<ProgressView, 'scale'>>,
  size: ProgressSize,
  baseline: number | null,
  band: Domain | null = null,
): ProgressLayout {
  const isLow = size.height < LOW_PX;
  const xDomain = view.x ?? model.whole;
  const [first, end] = visibleRange(model.points, xDomain);
  const distance = hasLogScale(model, view.scale ?? 'linear') ? distanceOf(model, band) : null;
  const warp = distance?.warp ?? LINEAR;
  const isWhole = view.x === null;
  const yDomain =
    view.y ?? fitY(model, first, end, xDomain, isWhole ? baseline : null, distance?.best ?? null, warp);
  const tickCount = Math.max(2, size.height / 56);
  const yTicks = distance
    ? distanceTicks(yDomain, distance.best, distance.warp.least, tickCount)
    : // Without a number, any scale would be made up.
      baseline !== null || model.points.some(({ value }) => Number.isFinite(value))
      ? axisTicks(yDomain, tickCount)
      : [];
  const longest = Math.max(0, ...yTicks.map(tick => tick.label.length));
  // A selected mark beyond the plot's top is not covered by the tools.
  const top = isLow ? LOW_TOP : MARGIN.top;
  const plot: Box = {
    // In steps of 16 px, so that the plot does not jump while the user zooms.
    left: Math.max(MARGIN.left, Math.ceil((longest * 6.8 + 16) / 16) * 16),
    top,
    right: Math.max(MARGIN.left + 40, size.width - MARGIN.right),
    bottom: Math.max(top + (isLow ? 40 : 60), size.height - (isLow ? LOW_BOTTOM : MARGIN.bottom)),
  };
  const time = timeUnit(xDomain[1] - xDomain[0]);
  const perUnit = model.axis === 'time' ? time.perHour : 1;
  const x = makeScale(
    xDomain,
    [plot.left, plot.right],
    axisTicks(
      [xDomain[0] * perUnit, xDomain[1] * perUnit],
      Math.max(2, (plot.right - plot.left) / 90),
      model.axis !== 'time',
    ).map(({ at, label }) => ({ at: at / perUnit, label })),
  );
  const whole = makeScale(yDomain, [plot.bottom - EDGE_BOTTOM, plot.top + EDGE_TOP], yTicks, warp);
  const y = { ...whole, ticks: spreadTicks(whole.ticks, LABEL_ROOM) };
  const points = drawPoints(model, first, end, plot, x, y);
  const baselineY =
    baseline !== null && baseline >= yDomain[0] && baseline <= yDomain[1] ? y.toPixel(baseline) : null;
  const baselineTextY =
    baselineY === null ? null : baselineY + (baselineY < plot.top + TOOLS_PX ? BELOW_PX : -ABOVE_PX);
  return {
    size,
    plot,
    x,
    y,
    isLog: distance !== null,
    hasWords: !isLow,
    xLabel: isLow ? '' : nameX(model.axis, time.name),
    ...points,
    best: bestPath(model, x, y, plot),
    baselineY,
    baselineTextY,
    band: band && [y.toPixel(Math.max(...band)), y.toPixel(Math.min(...band))],
    labels: isLow
      ? []
      : progressLabels(
          model,
          { ...points, first, yDomain, toX: x.toPixel, toY: y.toPixel },
          { ...plot, left: plot.left + 4, bottom: plot.bottom - EDGE_BOTTOM + 10 },
          baselineTextY === null ? null : baselineBox(plot.right, baselineTextY),
        ),
    first,
  };
}

/** The area of the words `baseline 1.234567`. */
function baselineBox(right: number, y: number): Box {
  return { left: right - BASELINE_WIDTH_PX, top: y - 10, right, bottom: y + 3 };
}

function distanceOf(model: ProgressModel, band: Domain | null) {
  const best = model.tally.best ?? 0;
  const gain = best - (model.steps[0]?.best ?? best);
  return { best, warp: distanceWarp(best, gain, band ? Math.abs(band[1] - band[0]) / 2 : 0) };
}

const byX = bisector((point: ProgressPoint) => point.x);

/** Indices of the first point inside the domain and of the first one after it. */
function visibleRange(
  points: readonly ProgressPoint[],
  domain: readonly [number, number],
): readonly [number, number] {
  return [byX.left(points, domain[0]), byX.right(points, domain[1])];
}

/**
 * The automatic range of y: visible keeps, the running best at the view's start, the baseline if given, `best` if
 * distances from it are shown, and near discards (see `robustFence`). With a margin of 6 % of the height.
 */
function fitY(
  model: ProgressModel,
  first: number,
  end: number,
  xDomain: readonly [number, number],
  baseline: number | null,
  best: number | null,
  warp: Warp,
): Domain {
  let low = baseline ?? Number.POSITIVE_INFINITY;
  let high = baseline ?? Number.NEGATIVE_INFINITY;
  const include = (value: number) => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (let index = first; index < end; index += 1) {
    const point = model.points[index];
    if (point?.isNear) include(point.value);
  }
  const before = model.steps.findLast(step => step.x <= xDomain[0]);
  if (before) include(before.best);
  if (best !== null) include(best);
  if (!(low <= high)) {
    // If nothing near is visible: every visible number, however far away.
    for (let index = first; index < end; index += 1) include(model.points[index]?.value ?? Number.NaN);
  }
  if (!(low <= high)) return [0, 1];
  const [from, to] = [warp.to(low), warp.to(high)];
  const margin = widenBy(from, to, 0.06);
  return [warp.from(from - margin), warp.from(to + margin)];
}

function nameX(axis: ProgressModel['axis'], timeName: string): string {
  if (axis === 'experiment') return 'experiment';
  return axis === 'kept' ? 'kept experiments, in order' : `${timeName} since the first experiment`;
}

function timeUnit(hours: number): { name: string; perHour: number } {
  if (hours > 2) return { name: 'hours', perHour: 1 };
  if (hours > 0.05) return { name: 'minutes', perHour: 60 };
  return { name: 'seconds', perHour: 3_600 };
}

type DrawnPoints = Pick<
  ProgressLayout,
  | 'discards'
  | 'discardCap'
  | 'keeps'
  | 'keepSize'
  | 'hollow'
  | 'hollowFor'
  | 'dimmed'
  | 'crashes'
  | 'discardsBeyond'
  | 'keepsBeyond'
  | 'pointX'
  | 'pointY'
>;

function drawPoints(
  model: ProgressModel,
  first: number,
  end: number,
  plot: Box,
  x: ProgressScale,
  y: ProgressScale,
): DrawnPoints {
  const pointX = new Float32Array(end - first);
  const pointY = new Float32Array(end - first);
  const discards = new MarkColumns();
  const keeps = new MarkColumns();
  const hollow = new MarkColumns();
  const hollowFor = new Set<'unproven' | 'superseded'>();
  const dimmed = new MarkColumns();
  const pixels = { discards: new PixelSet(plot), keeps: new PixelSet(plot), dimmed: new PixelSet(plot) };
  const edges = { discards: new EdgeMarks(), keeps: new EdgeMarks(), crashes: new EdgeMarks() };
  const [low, high] = y.domain;
  for (let index = first; index < end; index += 1) {
    const point = model.points[index];
    if (!point) continue;
    const px = x.toPixel(point.x);
    let py = plot.bottom - 8;
    if (point.row.isDimmed) {
      // The pointer cannot reach it either.
      pointX[index - first] = Number.NaN;
      pointY[index - first] = Number.NaN;
      if (!(point.value >= low && point.value <= high)) continue;
      const [across, down] = [Math.round(px), Math.round(y.toPixel(point.value))];
      if (pixels.dimmed.claim(across, down)) dimmed.add(across, `M${across} ${down}h0`);
      continue;
    }
    if (point.kind === 'crash') edges.crashes.cross(px, py);
    else if (point.kind === 'blank') edges.discards.square(px, py);
    else {
      const marks = point.kind === 'keep' ? edges.keeps : edges.discards;
      if (point.value > high) {
        py = plot.top + 6;
        marks.up(px, py);
      } else if (point.value < low) {
        py = plot.bottom - EDGE_BOTTOM + 8;
        marks.down(px, py);
      } else {
        py = y.toPixel(point.value);
        const across = Math.round(px);
        const down = Math.round(py);
        if (point.kind === 'discard') {
          // On whole pixels, all dots look the same.
          if (pixels.discards.claim(across, down)) discards.add(across, `M${across} ${down}h0`);
        } else if (pixels.keeps.claim(across, down)) {
          const dot = `M${px.toFixed(1)} ${py.toFixed(1)}h0`;
          keeps.add(across, dot);
          const isUnproven = point.row.claim?.isProven === false;
          if (isUnproven) hollowFor.add('unproven');
          if (point.row.isSuperseded) hollowFor.add('superseded');
          if (isUnproven || point.row.isSuperseded) hollow.add(across, dot);
        }
      }
    }
    pointX[index - first] = px;
    pointY[index - first] = py;
  }
  return {
    discards: discards.paths(),
    discardCap: discards.count > MOST_ROUND_DOTS ? 'square' : 'round',
    keeps: keeps.paths(),
    keepSize: keeps.count * KEEP_SIZE < plot.right - plot.left ? KEEP_SIZE : KEEP_SIZE_DENSE,
    hollow: hollow.paths(),
    hollowFor: [...hollowFor],
    dimmed: dimmed.paths(),
    crashes: edges.crashes.columns.paths(),
    discardsBeyond: edges.discards.columns.paths(),
    keepsBeyond: edges.keeps.columns.paths(),
    pointX,
    pointY,
  };
}

/** Only the steps in view and one on either side, so that a path with thousands of keeps stays short. */
function bestPath(model: ProgressModel, x: ProgressScale, y: ProgressScale, plot: Box): string {
  const { steps } = model;
  const from = Math.max(
    0,
    steps.findLastIndex(step => step.x <= x.domain[0]),
  );
  const start = steps[from];
  const end = model.points.at(-1);
  if (!start || !end || start.x > x.domain[1]) return '';
  // Clamped, because a step far outside a zoomed view would have a coordinate that no rasteriser accepts.
  const pixelX = (value: number) => clamp(x.toPixel(value), plot.left - 4, plot.right + 4).toFixed(1);
  const pixelY = (value: number) => clamp(y.toPixel(value), -1_000, plot.bottom + 1_000).toFixed(1);
  let path = `M${pixelX(start.x)} ${pixelY(start.best)}`;
  for (let index = from + 1; index < steps.length; index += 1) {
    const step = steps[index];
    if (!step || step.x > x.domain[1]) break;
    const next = steps[index + 1];
    // Of several steps in one pixel column only the last shows, because the line only improves.
    if (next && next.x <= x.domain[1] && Math.round(x.toPixel(next.x)) === Math.round(x.toPixel(step.x)))
      continue;
    path += `H${pixelX(step.x)}V${pixelY(step.best)}`;
  }
  return `${path}H${pixelX(end.x)}`;
}
