import { useId, useMemo, useState } from 'react';
import { layoutProgress } from '../../shared/charts/progress-layout.ts';
import type { ProgressModel } from '../../shared/charts/progress-model.ts';
import { progressName } from '../../shared/charts/progress-name.ts';
import { resolveView } from '../../shared/charts/progress-presets.ts';
import { type ProgressView, showAll } from '../../shared/charts/progress-view.ts';
import { formatMetric } from '../../shared/numbers.ts';
import type { Tally } from '../../shared/study.ts';
import { PROGRESS_KEYS_HELP, progressKey } from './progress-keys.ts';
import { ProgressOverlay } from './progress-overlay.tsx';
import { ProgressPoints } from './progress-points.tsx';
import { useProgressPointer } from './use-progress-pointer.ts';
import { useWidth } from './use-width.ts';

export type ProgressChartProps = {
  readonly model: ProgressModel;
  readonly metricName: string;
  readonly tally: Tally;
  /** Ends of the noise around the best; null for none. */
  readonly band: readonly [number, number] | null;
  /** The open experiment, marked by a ring and a line. */
  readonly selected: number | null;
  /** The experiment under the pointer, here or elsewhere. */
  readonly hovered: number | null;
  readonly view: ProgressView;
  /** Number of the last sitting's first experiment; null if unknown. */
  readonly sittingFrom: number | null;
  onView(view: ProgressView): void;
  onSelect(n: number): void;
  onHover(n: number | null): void;
  /** In pixels; the width is that of the parent. */
  readonly height: number;
  /** Shown while no experiment is finished. */
  readonly children?: React.ReactNode;
};

/**
 * The metric over the experiments: discards as small dots, keeps as large ones with a short hypothesis where there is
 * room, hollow where their gain is not proven, the running best as steps, crashes as crosses on the bottom edge, the
 * baseline dashed. Values beyond the visible range are triangles on that edge.
 *
 * The wheel zooms (shift holds the y axis), a drag moves, a drag with shift or on an axis zooms into what it covers,
 * a double click shows everything.
 */
export function ProgressChart(props: ProgressChartProps) {
  const { model, metricName, tally, height, sittingFrom, band } = props;
  const { ref, width } = useWidth();
  const view = useMemo(
    () => resolveView(props.view, model, { sittingFrom, band }),
    [props.view, model, sittingFrom, band],
  );
  const isEmpty = model.tally.finished === 0;
  return (
    <div ref={ref} className="relative w-full min-w-0" style={{ height }}>
      {isEmpty ? (
        <div className="flex h-full items-center justify-center px-6 text-center text-muted">
          {props.children}
        </div>
      ) : (
        width > 0 && <Plot {...props} view={view} width={width} name={progressName(tally, metricName)} />
      )}
    </div>
  );
}

type PlotProps = ProgressChartProps & { readonly width: number; readonly name: string };

function Plot({ model, width, name, ...props }: PlotProps) {
  const { view, height, tally, band, selected, hovered, metricName, onView, onSelect, onHover } = props;
  const help = useId();
  const [frame, setFrame] = useState<HTMLDivElement | null>(null);
  /** The experiment whose tooltip is open, and whether the keyboard opened it. */
  const [tip, setTip] = useState<{ readonly n: number; readonly isByKey: boolean } | null>(null);
  const { x, y, scale } = view;
  const { baseline } = tally;
  const layout = useMemo(
    () => layoutProgress(model, { x, y, scale }, { width, height }, baseline, band),
    [model, x, y, scale, width, height, baseline, band],
  );
  const point = (n: number | null, isByKey: boolean) => {
    if (n === null ? tip !== null : n !== tip?.n) setTip(n === null ? null : { n, isByKey });
    if (n !== hovered) onHover(n);
  };
  const { handlers, box, isPanning } = useProgressPointer(frame, {
    model,
    layout,
    view,
    onView,
    onSelect,
    onPoint: n => point(n, false),
  });
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = progressKey(event.key, model, layout, view, hovered, hovered ?? selected);
    if (!action) return;
    event.preventDefault();
    if (action.view !== view) onView(action.view);
    if (action.kind !== 'view') point(action.n, true);
    if (action.kind === 'select') onSelect(action.n);
  };
  const isZoomed = view.x !== null || view.y !== null;
  return (
    <div
      ref={setFrame}
      role="group"
      aria-roledescription="chart"
      aria-label={name}
      aria-describedby={help}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: zooming and walking by keys need the focus.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => point(null, true)}
      {...handlers}
      className="absolute inset-0"
      style={{
        cursor: isPanning ? 'grabbing' : tip && !tip.isByKey ? 'pointer' : isZoomed ? 'grab' : 'default',
      }}
    >
      <ProgressPoints layout={layout} metricName={metricName} goal={model.goal} baseline={baseline} />
      <ProgressOverlay
        layout={layout}
        model={model}
        selected={selected}
        hovered={hovered}
        tip={tip?.n ?? null}
        box={box}
      />
      {isZoomed && (
        <button
          type="button"
          className="absolute top-8 right-3 rounded border border-line bg-surface px-2 py-0.5 text-xs text-muted hover:text-ink"
          onPointerDown={event => event.stopPropagation()}
          onKeyDown={event => event.stopPropagation()}
          onClick={() => onView(showAll(view))}
        >
          Show all
        </button>
      )}
      <p id={help} className="sr-only">
        {PROGRESS_KEYS_HELP}
      </p>
      <p className="sr-only" aria-live="polite">
        {tip?.isByKey ? describe(model, tip.n) : ''}
      </p>
    </div>
  );
}

/** A text description of one point. */
function describe(model: ProgressModel, n: number): string {
  const point = model.points[model.indexOf.get(n) ?? -1];
  if (!point) return '';
  const value = Number.isFinite(point.value) ? `, ${formatMetric(point.value)}` : '';
  return `Experiment ${n}, ${point.row.word}${value}. ${point.row.hypothesis ?? ''}`;
}
