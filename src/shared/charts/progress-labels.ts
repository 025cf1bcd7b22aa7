import { type Box, Occupancy } from './occupancy.ts';
import { type LabelWish, type PlacedLabel, placeLabels } from './place-labels.ts';
import type { ProgressModel } from './progress-model.ts';

type Drawn = {
  /** Visible points are `model.points` from this index on. */
  readonly first: number;
  readonly pointX: Float32Array;
  readonly pointY: Float32Array;
  readonly yDomain: readonly [number, number];
  toX(value: number): number;
  toY(value: number): number;
};

const MOST_LABELS = 40;
const MOST_WISHES = 160;
/** Space that labels leave around a dot, in pixels. */
const KEEP_RADIUS = 5;
const DISCARD_RADIUS = 2.5;

/**
 * Short hypotheses beside keeps that are drawn as dots, where they hide nothing. The best always has its label,
 * whatever it hides; the others are placed in the order of their gain.
 * @param words other words of the chart, which labels do not cover
 */
export function progressLabels(
  model: ProgressModel,
  drawn: Drawn,
  bounds: Box,
  words: Box | null = null,
): readonly PlacedLabel[] {
  const { first, pointX, pointY, yDomain } = drawn;
  const area = new Occupancy(bounds);
  pointX.forEach((x, at) => {
    const kind = model.points[first + at]?.kind;
    // The halo of a label would hide whatever is below it.
    if (Number.isNaN(x)) return;
    const radius = kind === 'keep' ? KEEP_RADIUS : kind === 'discard' ? DISCARD_RADIUS : 0;
    const y = pointY[at] ?? 0;
    if (radius > 0) area.take(x - radius, y - radius, x + radius, y + radius);
  });
  takeSteps(model, drawn, area);
  if (words) area.take(words.left, words.top, words.right, words.bottom);
  const wishes: LabelWish[] = [];
  for (const index of model.labelOrder) {
    if (wishes.length >= MOST_WISHES) break;
    const point = model.points[index];
    const x = pointX[index - first];
    const y = pointY[index - first];
    if (!point?.label || x === undefined || y === undefined || Number.isNaN(x)) continue;
    const isDot = point.value >= yDomain[0] && point.value <= yDomain[1];
    const isBest = point.row.n === model.tally.bestExperiment;
    if (isDot) wishes.push({ id: point.row.n, x, y, text: point.label, isBest });
  }
  return placeLabels(wishes, area, model.goal === 'minimize', MOST_LABELS);
}

function takeSteps(model: ProgressModel, { toX, toY }: Drawn, area: Occupancy): void {
  const end = toX(model.points.at(-1)?.x ?? 0);
  model.steps.forEach((step, index) => {
    const next = model.steps[index + 1];
    const left = toX(step.x);
    const right = next ? toX(next.x) : end;
    const here = toY(step.best);
    const there = next ? toY(next.best) : here;
    area.take(left, here - 1, right, here + 1);
    area.take(right - 1, Math.min(here, there), right + 1, Math.max(here, there));
  });
}
