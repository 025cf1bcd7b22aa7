import type { SeriesView } from '../../shared/notebook.ts';
import type { SeriesLine } from './series-scale.ts';

const COLOURS = 8;

/** Colour of the line at a place; they begin anew after the eighth. */
export function lineColour(place: number): string {
  return `var(--series-${(place % COLOURS) + 1})`;
}

/** Series for the chart; `isBehind` marks the incumbent's. */
export function seriesLine(view: SeriesView, label: string, place: number, isBehind = false): SeriesLine {
  return {
    key: `${view.n}.${view.k} ${view.name}`,
    label,
    x: view.x,
    y: view.y,
    colour: isBehind ? 'var(--faint)' : lineColour(place),
    isBehind,
  };
}
