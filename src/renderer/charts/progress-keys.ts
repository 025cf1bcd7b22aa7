import type { ProgressLayout } from '../../shared/charts/progress-layout.ts';
import type { ProgressModel } from '../../shared/charts/progress-model.ts';
import {
  leastSpan,
  type ProgressView,
  panDomain,
  revealInDomain,
  showAll,
  zoomDomain,
} from '../../shared/charts/progress-view.ts';

/** The chart's reaction to a key. `point` moves the highlight to an experiment. */
export type ProgressKeyAction =
  | { readonly kind: 'view'; readonly view: ProgressView }
  | { readonly kind: 'point'; readonly n: number; readonly view: ProgressView }
  | { readonly kind: 'select'; readonly n: number; readonly view: ProgressView };

/** Explains the keys; for `aria-describedby`. */
export const PROGRESS_KEYS_HELP =
  'Plus and minus zoom, left and right move, 0 shows all. Up and down move between experiments, Enter opens the marked one, Home and End open the first and the last.';

const ZOOM_STEP = 0.8;
const PAN_STEP = 0.1;

/**
 * The action for `key`, or null if the chart does not use it. `marked` is the highlighted experiment, else the
 * selected one.
 */
export function progressKey(
  key: string,
  model: ProgressModel,
  layout: ProgressLayout,
  view: ProgressView,
  hovered: number | null,
  marked: number | null,
): ProgressKeyAction | null {
  const domain = view.x ?? model.whole;
  const middle = (domain[0] + domain[1]) / 2;
  const zoom = (factor: number) =>
    zoomDomain(domain, model.whole, factor, middle, leastSpan(view.axis, model.whole));
  const show = (x: ProgressView['x'], y = view.y): ProgressView => ({ ...view, preset: null, x, y });
  const isReached = (index: number) => !model.points[index]?.row.isDimmed;
  const from = (start: number, by: 1 | -1): number => {
    let index = start;
    while (index >= 0 && index < model.points.length && !isReached(index)) index += by;
    return index;
  };
  const reveal = (index: number): ProgressView => {
    const x = view.x && revealInDomain(view.x, model.whole, model.points[index]?.x ?? 0);
    const isInView = x?.[0] === view.x?.[0] && x?.[1] === view.x?.[1];
    return isInView ? view : show(x);
  };
  const step = (by: 1 | -1): ProgressKeyAction | null => {
    const at = marked === null ? undefined : model.indexOf.get(marked);
    const start = at ?? (by > 0 ? layout.first - 1 : layout.first + layout.pointX.length);
    const next = from(start + by, by);
    // At the end it does not move.
    const index = model.points[next] ? next : start;
    const n = model.points[index]?.row.n;
    return n === undefined ? null : { kind: 'point', n, view: reveal(index) };
  };
  const select = (index: number): ProgressKeyAction | null => {
    const n = model.points[index]?.row.n;
    return n === undefined ? null : { kind: 'select', n, view: reveal(index) };
  };
  switch (key) {
    case '+':
    case '=':
      return { kind: 'view', view: show(zoom(ZOOM_STEP), null) };
    case '-':
    case '_':
      return { kind: 'view', view: show(zoom(1 / ZOOM_STEP), null) };
    case '0':
      return { kind: 'view', view: showAll(view) };
    case 'ArrowLeft':
      return { kind: 'view', view: show(panDomain(domain, model.whole, (domain[0] - domain[1]) * PAN_STEP)) };
    case 'ArrowRight':
      return { kind: 'view', view: show(panDomain(domain, model.whole, (domain[1] - domain[0]) * PAN_STEP)) };
    case 'ArrowUp':
      return step(1);
    case 'ArrowDown':
      return step(-1);
    case 'Home':
      return select(from(0, 1));
    case 'End':
      return select(from(model.points.length - 1, -1));
    case 'Enter':
      return hovered === null ? null : { kind: 'select', n: hovered, view };
    default:
      return null;
  }
}
