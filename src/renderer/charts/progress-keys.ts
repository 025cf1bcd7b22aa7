import type { ProgressLayout } from '../../shared/charts/progress-layout.ts';
import type { ProgressModel } from '../../shared/charts/progress-model.ts';
import {
  leastSpan,
  type ProgressView,
  panDomain,
  revealInDomain,
  zoomDomain,
} from '../../shared/charts/progress-view.ts';

/** What a key asks of the chart. `point` moves the highlight to an experiment. */
export type ProgressKeyAction =
  | { readonly kind: 'view'; readonly view: ProgressView }
  | { readonly kind: 'point'; readonly n: number; readonly view: ProgressView }
  | { readonly kind: 'select'; readonly n: number; readonly view: ProgressView };

/** Says what the keys do; for `aria-describedby`. */
export const PROGRESS_KEYS_HELP =
  'Plus and minus zoom, left and right move, 0 shows all. Up and down move between experiments, Enter opens the marked one, Home and End open the first and the last.';

const ZOOM_STEP = 0.8;
const PAN_STEP = 0.1;

/** What `key` does, or null where it is not the chart's. `marked` is the highlighted or else the selected one. */
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
  const show = (x: ProgressView['x'], y = view.y): ProgressView => ({ axis: view.axis, x, y });
  const reveal = (index: number) =>
    show(view.x && revealInDomain(view.x, model.whole, model.points[index]?.x ?? 0));
  const step = (by: 1 | -1): ProgressKeyAction | null => {
    const at = marked === null ? undefined : model.indexOf.get(marked);
    const from = at ?? (by > 0 ? layout.first - 1 : layout.first + layout.pointX.length);
    const index = Math.min(model.points.length - 1, Math.max(0, from + by));
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
      return { kind: 'view', view: show(null, null) };
    case 'ArrowLeft':
      return { kind: 'view', view: show(panDomain(domain, model.whole, (domain[0] - domain[1]) * PAN_STEP)) };
    case 'ArrowRight':
      return { kind: 'view', view: show(panDomain(domain, model.whole, (domain[1] - domain[0]) * PAN_STEP)) };
    case 'ArrowUp':
      return step(1);
    case 'ArrowDown':
      return step(-1);
    case 'Home':
      return select(0);
    case 'End':
      return select(model.points.length - 1);
    case 'Enter':
      return hovered === null ? null : { kind: 'select', n: hovered, view };
    default:
      return null;
  }
}
