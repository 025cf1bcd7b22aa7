import { widenBy } from './axis-range.ts';
import type { ProgressModel } from './progress-model.ts';
import type { Domain } from './progress-scale.ts';
import { leastSpan, type ProgressPreset, type ProgressView } from './progress-view.ts';

/** For the preset `last`. */
export const LAST_EXPERIMENTS = 50;
/** The frontier begins when this share of the total gain was still to come. */
const LEFT_OF_GAIN = 0.1;
/** Room beyond the frontier for near discards, as a share of its height. */
const OVER_FRONTIER = 0.4;

/** What presets depend on in addition to the experiments. */
export type PresetContext = {
  /** Number of the last sitting's first experiment; null if unknown. */
  readonly sittingFrom: number | null;
  /** Ends of the noise around the best; null for none. */
  readonly band: Domain | null;
};

export type PresetRange = { readonly x: Domain; readonly y: Domain | null };

/**
 * The range that a preset shows: the last sitting; the last 50 experiments; or the frontier, which is the last tenth
 * of the gain, with y fitted to the steps of the best and the noise. Null if that would be everything, or nothing.
 */
export function presetRange(
  model: ProgressModel,
  preset: ProgressPreset,
  { sittingFrom, band }: PresetContext,
): PresetRange | null {
  switch (preset) {
    case 'sitting':
      return sittingFrom === null ? null : rangeFrom(model, n => n >= sittingFrom);
    case 'last': {
      const last = model.points.reduce((most, { row }) => Math.max(most, row.n), -1);
      return rangeFrom(model, n => n > last - LAST_EXPERIMENTS);
    }
    case 'frontier':
      return frontierRange(model, band);
    default:
      return preset satisfies never;
  }
}

/** The view with its preset's current range. Unchanged if it has no preset. */
export function resolveView(view: ProgressView, model: ProgressModel, context: PresetContext): ProgressView {
  if (view.preset === null) return view;
  return { ...view, x: null, y: null, ...presetRange(model, view.preset, context) };
}

function rangeFrom(model: ProgressModel, isWanted: (n: number) => boolean): PresetRange | null {
  const first = model.points.find(({ row }) => isWanted(row.n));
  if (!first || first === model.points[0]) return null;
  return { x: fromX(model, first.x), y: null };
}

function frontierRange(model: ProgressModel, band: Domain | null): PresetRange | null {
  const { steps } = model;
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last) return null;
  const gain = Math.abs(last.best - first.best);
  const begin = steps.find(({ best }) => Math.abs(last.best - best) <= LEFT_OF_GAIN * gain);
  if (!begin || begin === first) return null;
  const shown = [begin.best, last.best, ...(band ?? [])];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const height = high > low ? high - low : LEFT_OF_GAIN * gain;
  const margin = widenBy(low, low + height, 0.08);
  const over = height * OVER_FRONTIER;
  const y: Domain = model.goal === 'minimize' ? [low - margin, high + over] : [low - over, high + margin];
  return { x: fromX(model, begin.x), y };
}

/** From x to the end, with a margin, and wide enough to show something. */
function fromX({ whole, axis }: ProgressModel, x: number): Domain {
  const margin = (whole[1] - x) * 0.015;
  return [Math.max(whole[0], Math.min(x - margin, whole[1] - leastSpan(axis, whole))), whole[1]];
}
