import type { Box } from '../../shared/charts/occupancy.ts';
import type { ProgressLayout } from '../../shared/charts/progress-layout.ts';
import type { ProgressModel, ProgressPoint } from '../../shared/charts/progress-model.ts';
import { formatDelta, formatMetric } from '../../shared/numbers.ts';
import { claimWords } from '../../shared/verdicts/claims.ts';
import { VerdictBadge } from '../ui/verdict-badge.tsx';

type Props = {
  readonly layout: ProgressLayout;
  readonly model: ProgressModel;
  readonly selected: number | null;
  readonly hovered: number | null;
  /** The experiment with an open tooltip. */
  readonly tip: number | null;
  /** The rectangle being drawn to zoom into. */
  readonly box: Box | null;
};

const TIP_WIDTH = 264;
const TIP_HEIGHT = 112;
/** The chart's tools reach this far into the plot, in pixels. */
const BELOW_TOOLS = 6;

/** The parts that change under the pointer: selection, highlight, tooltip, zoom box. */
export function ProgressOverlay({ layout, model, selected, hovered, tip, box }: Props) {
  const chosen = findPoint(layout, model, selected);
  const lit = findPoint(layout, model, hovered);
  const tipped = findPoint(layout, model, tip);
  const { plot, size } = layout;
  return (
    <>
      <svg
        aria-hidden="true"
        width={size.width}
        height={size.height}
        className="pointer-events-none absolute inset-0"
        style={{ willChange: 'transform' }}
      >
        {chosen && (
          <>
            <path
              d={`M${chosen.x} ${plot.top + BELOW_TOOLS}V${plot.bottom}`}
              stroke="var(--accent)"
              strokeWidth={1}
            />
            <circle cx={chosen.x} cy={chosen.y} r={8} fill="none" stroke="var(--accent)" strokeWidth={2} />
          </>
        )}
        {lit && <circle cx={lit.x} cy={lit.y} r={6.5} fill="none" stroke="var(--ink)" strokeWidth={1.75} />}
        {box && (
          <rect
            x={box.left}
            y={box.top}
            width={box.right - box.left}
            height={box.bottom - box.top}
            fill="var(--accent)"
            fillOpacity={0.12}
            stroke="var(--accent)"
          />
        )}
      </svg>
      {tipped && !box && (
        <div
          className="pointer-events-none absolute z-10 rounded-md border border-line bg-surface px-2.5 py-2 text-xs shadow-float"
          style={{ ...placeTip(tipped, size), width: TIP_WIDTH }}
        >
          <Tip point={tipped.point} model={model} />
        </div>
      )}
    </>
  );
}

function Tip({ point, model }: { readonly point: ProgressPoint; readonly model: ProgressModel }) {
  const { row } = point;
  const { best, bestExperiment } = model.tally;
  const hasMetric = Number.isFinite(point.value);
  return (
    <>
      <div className="flex items-baseline justify-between gap-3">
        <span className="font-semibold tabular">Experiment {row.n}</span>
        {row.word && <VerdictBadge word={row.word} />}
      </div>
      <div className="mt-0.5 flex items-baseline justify-between gap-3 tabular">
        <span>{hasMetric ? formatMetric(point.value) : 'no number'}</span>
        {hasMetric && best !== null && (
          <span className="text-muted">
            {row.n === bestExperiment ? 'the best' : `${formatDelta(point.value - best)} from the best`}
          </span>
        )}
      </div>
      {row.claim && <p className="mt-0.5 text-muted">{claimWords(row.claim)}</p>}
      {row.hypothesis && <p className="mt-1 line-clamp-3 text-muted">{row.hypothesis}</p>}
    </>
  );
}

function findPoint(
  layout: ProgressLayout,
  model: ProgressModel,
  n: number | null,
): { readonly x: number; readonly y: number; readonly point: ProgressPoint } | null {
  const index = n === null ? undefined : model.indexOf.get(n);
  if (index === undefined) return null;
  const point = model.points[index];
  const x = layout.pointX[index - layout.first];
  const y = layout.pointY[index - layout.first];
  // An experiment that a filter leaves out has no position.
  if (!point || x === undefined || y === undefined || Number.isNaN(x)) return null;
  return { x, y, point };
}

/** Beside the point, on the side with more room. */
function placeTip(
  at: { readonly x: number; readonly y: number },
  size: { readonly width: number; readonly height: number },
): { left: number; top: number } {
  const isRight = at.x + 14 + TIP_WIDTH <= size.width;
  const left = isRight ? at.x + 14 : Math.max(0, at.x - 14 - TIP_WIDTH);
  return { left, top: Math.max(0, Math.min(at.y - 24, size.height - TIP_HEIGHT)) };
}
