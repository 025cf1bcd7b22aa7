import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import type { Box } from '../../shared/charts/occupancy.ts';
import type { ProgressLayout } from '../../shared/charts/progress-layout.ts';
import type { ProgressModel } from '../../shared/charts/progress-model.ts';
import {
  leastSpan,
  type ProgressView,
  panDomain,
  showAll,
  zoomDomain,
} from '../../shared/charts/progress-view.ts';
import { clamp } from '../../shared/numbers.ts';
import { pointGrid } from './point-grid.ts';
import { useFrame } from './use-frame.ts';

type Domain = readonly [number, number];
type Place = { readonly x: number; readonly y: number };

/** `both`, `x` and `y` draw a rectangle to zoom into. */
type Drag = {
  readonly kind: 'pan' | 'both' | 'x' | 'y';
  readonly pointerId: number;
  readonly from: Place;
  readonly x: Domain;
  /** The y range if it was fixed when the drag began. */
  readonly y: Domain | null;
  readonly layout: ProgressLayout;
  hasMoved: boolean;
};

type Options = {
  readonly model: ProgressModel;
  readonly layout: ProgressLayout;
  readonly view: ProgressView;
  onView(view: ProgressView): void;
  onSelect(n: number): void;
  /** The experiment under the pointer, or null. */
  onPoint(n: number | null): void;
};

export type ProgressPointer = {
  readonly handlers: {
    onPointerDown(event: React.PointerEvent): void;
    onPointerMove(event: React.PointerEvent): void;
    onPointerUp(event: React.PointerEvent): void;
    onPointerCancel(): void;
    onPointerLeave(): void;
    onDoubleClick(event: React.MouseEvent): void;
  };
  readonly box: Box | null;
  readonly isPanning: boolean;
};

/** How close to a point the pointer has to be, in pixels. */
const REACH = 24;
/** A press that moves less than this is a click. */
const CLICK_SLOP = 4;
/** The smallest y range to zoom into, as a share of the values: below it, doubles have no more digits. */
const LEAST_HEIGHT = 1e-9;
/** e-folds of zoom per pixel of wheel: a notch of 100 px zooms by a fifth. */
const ZOOM_PER_PIXEL = 0.0018;

/** Handles wheel, drag, hover and click on the chart. Each acts at most once per frame. */
export function useProgressPointer(
  frame: HTMLDivElement | null,
  { model, layout, view, onView, onSelect, onPoint }: Options,
): ProgressPointer {
  const [box, setBox] = useState<Box | null>(null);
  const [isPanning, setIsPanning] = useState(false);
  const drag = useRef<Drag | null>(null);
  const wheel = useRef({ zoom: 0, pan: 0 });
  const turn = useFrame();
  const move = useFrame();

  // Built at the first hover after a change, not during a zoom.
  const grid = useMemo(() => {
    let built: ReturnType<typeof pointGrid> | null = null;
    return () => {
      built ??= pointGrid(layout.pointX, layout.pointY, REACH, index =>
        model.points[layout.first + index]?.kind === 'keep' ? 3 : 0,
      );
      return built;
    };
  }, [layout, model]);

  const placeOf = (event: { clientX: number; clientY: number }): Place => {
    const bounds = frame?.getBoundingClientRect();
    return { x: event.clientX - (bounds?.left ?? 0), y: event.clientY - (bounds?.top ?? 0) };
  };

  const nearest = (place: Place): number | null => {
    const index = grid().nearest(place.x, place.y);
    return index === null ? null : (model.points[layout.first + index]?.row.n ?? null);
  };

  const applyWheel = useEffectEvent((place: Place, isYHeld: boolean) => {
    const { zoom, pan } = wheel.current;
    wheel.current = { zoom: 0, pan: 0 };
    const { plot, x, y } = layout;
    const domain: Domain = view.x ?? model.whole;
    const at = x.toValue(clamp(place.x, plot.left, plot.right));
    const perPixel = (domain[1] - domain[0]) / (plot.right - plot.left);
    const next =
      zoom === 0
        ? panDomain(domain, model.whole, pan * perPixel)
        : zoomDomain(
            domain,
            model.whole,
            Math.exp(zoom * ZOOM_PER_PIXEL),
            at,
            leastSpan(view.axis, model.whole),
          );
    onView({ ...view, preset: null, x: next, y: isYHeld ? y.domain : zoom === 0 ? view.y : null });
  });

  // React's listeners are passive, and those cannot prevent the page from scrolling.
  useEffect(() => {
    if (!frame) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const perLine = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
      // With shift held, most systems turn the wheel sideways.
      const isSideways = !event.shiftKey && Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (isSideways) wheel.current.pan += event.deltaX * perLine;
      // A pinch arrives as small steps with ctrl held.
      else wheel.current.zoom += (event.deltaY || event.deltaX) * perLine * (event.ctrlKey ? 3 : 1);
      const bounds = frame.getBoundingClientRect();
      const place = { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
      turn(() => applyWheel(place, event.shiftKey));
    };
    frame.addEventListener('wheel', onWheel, { passive: false });
    return () => frame.removeEventListener('wheel', onWheel);
  }, [frame, turn]);

  const begin = (event: React.PointerEvent) => {
    if (event.button !== 0) return;
    const from = placeOf(event);
    const { plot } = layout;
    const kind = from.x < plot.left ? 'y' : from.y > plot.bottom ? 'x' : event.shiftKey ? 'both' : 'pan';
    drag.current = {
      kind,
      pointerId: event.pointerId,
      from,
      x: view.x ?? model.whole,
      y: view.y,
      layout,
      hasMoved: false,
    };
  };

  const drawOrPan = (held: Drag, place: Place) => {
    if (held.kind !== 'pan') {
      setBox(dragBox(held, place));
      return;
    }
    const { x, y } = held.layout;
    const byX = x.toValue(held.from.x) - x.toValue(place.x);
    const up = held.from.y - place.y;
    const moved = (end: number) => y.toValue(y.toPixel(end) + up);
    onView({
      ...view,
      preset: null,
      x: panDomain(held.x, model.whole, byX),
      y: held.y && [moved(held.y[0]), moved(held.y[1])],
    });
  };

  const end = (event: React.PointerEvent) => {
    const held = drag.current;
    drag.current = null;
    setBox(null);
    setIsPanning(false);
    if (!held) return;
    const place = placeOf(event);
    if (!held.hasMoved) {
      const n = held.kind === 'pan' || held.kind === 'both' ? nearest(place) : null;
      if (n !== null) onSelect(n);
      return;
    }
    if (held.kind === 'pan') return;
    const drawn = dragBox(held, place);
    const { x, y } = held.layout;
    const isWide = held.kind !== 'y' && drawn.right - drawn.left > CLICK_SLOP;
    const high: Domain = [y.toValue(drawn.bottom), y.toValue(drawn.top)];
    const isHigh =
      held.kind !== 'x' &&
      drawn.bottom - drawn.top > CLICK_SLOP &&
      high[1] - high[0] > Math.abs(high[1]) * LEAST_HEIGHT;
    const wide: Domain = [x.toValue(drawn.left), x.toValue(drawn.right)];
    onView({
      ...view,
      preset: null,
      // Factor 1: this only prevents it from becoming too narrow.
      x: isWide
        ? zoomDomain(wide, model.whole, 1, (wide[0] + wide[1]) / 2, leastSpan(view.axis, model.whole))
        : view.x,
      y: isHigh ? high : view.y,
    });
  };

  return {
    box,
    isPanning,
    handlers: {
      onPointerDown: begin,
      onPointerMove: event => {
        const place = placeOf(event);
        const held = drag.current;
        if (!held) {
          move(() => onPoint(nearest(place)));
          return;
        }
        if (!held.hasMoved) {
          if (Math.hypot(place.x - held.from.x, place.y - held.from.y) < CLICK_SLOP) return;
          held.hasMoved = true;
          event.currentTarget.setPointerCapture(held.pointerId);
          setIsPanning(held.kind === 'pan');
          onPoint(null);
        }
        move(() => {
          if (drag.current === held) drawOrPan(held, place);
        });
      },
      onPointerUp: end,
      onPointerCancel: () => {
        drag.current = null;
        setBox(null);
        setIsPanning(false);
      },
      onPointerLeave: () => {
        if (!drag.current) move(() => onPoint(null));
      },
      onDoubleClick: () => onView(showAll(view)),
    },
  };
}

/** The rectangle between the start of the drag and `place`; it covers the whole of an axis that is not dragged. */
function dragBox({ kind, from, layout }: Drag, place: Place): Box {
  const { plot } = layout;
  const inX = (x: number) => clamp(x, plot.left, plot.right);
  const inY = (y: number) => clamp(y, plot.top, plot.bottom);
  return {
    left: kind === 'y' ? plot.left : inX(Math.min(from.x, place.x)),
    right: kind === 'y' ? plot.right : inX(Math.max(from.x, place.x)),
    top: kind === 'x' ? plot.top : inY(Math.min(from.y, place.y)),
    bottom: kind === 'x' ? plot.bottom : inY(Math.max(from.y, place.y)),
  };
}
