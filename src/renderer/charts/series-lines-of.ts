import type { SeriesView } from '../../shared/notebook.ts';
import type { SeriesAxis } from './series-axis.ts';
import type { SeriesLine } from './series-scale.ts';

const COLOURS = 8;

/** The colour of the line at this index; there are eight. */
export function lineColour(place: number): string {
  return `var(--series-${(place % COLOURS) + 1})`;
}

/** The series with its points on that axis. If a run has no steps, the axis starts where its curve does. */
export function placedBy(view: SeriesView, by: SeriesAxis): SeriesView {
  if (by !== 'training') return view;
  const from = view.firstStepAt ?? view.x[0] ?? 0;
  const move = (x: readonly number[]) => x.map(at => at - from);
  return { ...view, x: move(view.x), smooth: view.smooth && { ...view.smooth, x: move(view.smooth.x) } };
}

/** A series for the chart; `isBehind` marks the incumbent's. */
export function seriesLine(view: SeriesView, label: string, place: number, isBehind = false): SeriesLine {
  return {
    key: `${view.n}.${view.k} ${view.name}`,
    label,
    x: view.x,
    y: view.y,
    smooth: view.smooth,
    colour: isBehind ? 'var(--faint)' : lineColour(place),
    isBehind,
  };
}
