import { MoonStar } from 'lucide-react';
import { useCallback, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, clamp, formatClock, formatDelta, formatNumber } from '../../../shared/numbers.ts';
import { isActive, useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCurves } from '../../app/use-curves.ts';
import { CurveTools } from '../../charts/curve-tools.tsx';
import { AXIS_LABELS, isTime } from '../../charts/series-axis.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { useHeight } from '../../charts/use-width.ts';
import { classNames } from '../../ui/class-names.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { TerminalView } from '../../viewers/terminal-view.tsx';
import { ReviewPanel } from '../review/review-panel.tsx';
import { EndRunButton } from './end-run-button.tsx';
import { LaneTiles } from './lane-tiles.tsx';
import { MachineNow } from './machine-now.tsx';
import { phaseWords, useRunClock } from './now-running.tsx';
import { ThoughtNow } from './thought-now.tsx';
import { hasLiveTokens, useLiveLine } from './use-live-line.ts';

/**
 * Everything about the current run: curve, terminal, machine. With several lanes, a tile for each and the details of
 * one.
 */
export function LiveScreen({ card: whole }: { readonly card: StudyCard }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const shown = whole.inFlight.find(({ n }) => n === chosen) ?? whole.current;
  const card = { ...whole, current: shown };
  if (card.waiting && (!shown || (shown.phase === 'reviewing' && shown.n === card.waiting.n))) {
    return <ReviewPanel card={card} {...card.waiting} />;
  }
  if (!isActive(card)) {
    return (
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">
        <EmptyState icon={<MoonStar size={28} />} title="Nothing runs">
          During a training, this shows its curve against the incumbent, its terminal and the GPU.
        </EmptyState>
        <div className="mx-auto w-full max-w-3xl px-6 pb-8">
          <MachineNow />
        </div>
      </div>
    );
  }
  return (
    <>
      {/* Never so tall that curve and output have no room. */}
      <div className="max-h-2/5 min-w-0 shrink-0 overflow-y-auto">
        {whole.inFlight.length > 1 ? <LaneTiles card={whole} shown={shown} onShow={setChosen} /> : null}
      </div>
      <LiveDetails card={card} hasTile={whole.inFlight.length > 1} />
    </>
  );
}

/** The curve's share of the height that curve, output and machine have. */
const CURVE_SHARE = 0.3;
const MIN_CURVE_PX = 100;
const MAX_CURVE_PX = 320;

/**
 * Curve and output fill the height, so that both are seen without scrolling. The machine is beside the curve, or in a
 * narrow window below the output, where its top can be seen.
 */
function LiveDetails({ card, hasTile }: { readonly card: StudyCard; readonly hasTile: boolean }) {
  const { ref, height } = useHeight();
  const curve = Math.round(clamp(CURVE_SHARE * height, MIN_CURVE_PX, MAX_CURVE_PX));
  return (
    <div
      ref={ref}
      className="grid min-h-0 flex-1 grid-cols-1 grid-rows-[minmax(calc(100%-2.25rem),max-content)_max-content] overflow-y-auto lg:grid-cols-[minmax(0,1fr)_19rem] lg:grid-rows-[max-content_minmax(6rem,1fr)] min-[74rem]:grid-cols-[minmax(0,1fr)_22rem]"
    >
      <div className="grid min-w-0 grid-rows-[max-content_minmax(6rem,1fr)] lg:contents">
        <LiveCurve card={card} height={curve} hasTile={hasTile} />
        <div className="min-h-0 min-w-0 lg:col-span-full lg:row-start-2">
          <Terminal card={card} />
        </div>
      </div>
      <aside
        aria-label="Machine now"
        className="@container border-line border-t bg-surface lg:relative lg:col-start-2 lg:row-start-1 lg:border-t-0 lg:border-b lg:border-l"
      >
        {/* Beside the curve it is as tall as that, however many GPUs there are. */}
        <div className="overflow-y-auto px-5 py-4 lg:absolute lg:inset-0 lg:px-4">
          <MachineNow isSmall />
        </div>
      </aside>
    </div>
  );
}

function LiveCurve({
  card,
  height,
  hasTile,
}: {
  readonly card: StudyCard;
  readonly height: number;
  /** Whether a tile shows its figures, too. */
  readonly hasTile: boolean;
}) {
  const hasTokens = useStore(({ live }) => hasLiveTokens(live));
  const { by, smoothing, scales, tools } = useCurves('live', hasTokens);
  const [width, setWidth] = useState(800);
  const clock = useRunClock(card);
  const { lines, name, newest, incumbentNow } = useLiveLine(card, by, width, smoothing);
  const { current, contract } = card;
  const value = name === null ? null : (newest?.values[name] ?? null);
  const left = clock ? contract.budget.seconds - clock.seconds : null;
  const figures: readonly (readonly [string, string])[] = [
    ['phase', current ? phaseWords(current.phase) : ABSENT],
    ['step', formatNumber(newest?.values.step ?? null)],
    [
      left !== null && left < 0 ? 'over budget' : 'left',
      left === null ? ABSENT : formatClock(Math.abs(left)),
    ],
    [name ?? 'loss', formatNumber(value)],
    [
      'to the incumbent',
      value !== null && incumbentNow !== null ? formatDelta(value - incumbentNow) : ABSENT,
    ],
  ];
  return (
    <section aria-label="Live curve" className="min-w-0 border-line border-b bg-surface px-5 py-3 short:py-2">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1 short:gap-y-0">
        <p
          className="line-clamp-3 min-w-80 flex-1 break-words font-medium short:line-clamp-2"
          title={current?.hypothesis ?? undefined}
        >
          {current ? `#${current.n} ${current.hypothesis ?? ''}` : 'Between two experiments'}
        </p>
        {current ? (
          <EndRunButton key={`${current.n}.${current.run?.k}`} study={card.id} experiment={current} />
        ) : null}
        <CurveTools {...tools} />
      </div>
      <dl
        className={classNames(
          'my-2 flex flex-wrap gap-x-8 gap-y-1 short:my-1 short:gap-x-5',
          hasTile && 'short:hidden',
        )}
      >
        {figures.map(([label, text]) => (
          <div key={label} className="short:flex short:items-baseline short:gap-1.5">
            <dt className="text-muted text-xs">{label}</dt>
            <dd className="tabular font-medium text-lg short:text-sm">{text}</dd>
          </div>
        ))}
      </dl>
      <SeriesChart
        lines={lines}
        xLabel={AXIS_LABELS[by]}
        height={height}
        label="Live loss against the incumbent"
        budgetX={isTime(by) ? contract.budget.seconds : null}
        {...scales}
        onWidth={setWidth}
      />
    </section>
  );
}

function Terminal({ card }: { readonly card: StudyCard }) {
  const { current } = card;
  const study = card.id;
  const n = current?.n ?? -1;
  const k = current?.run?.k ?? -1;
  const subscribe = useCallback(
    (onData: (bytes: Uint8Array, skipped: number) => void) => {
      const ended = new AbortController();
      void followOutput(study, n, k, ended.signal, onData);
      return () => ended.abort();
    },
    [study, n, k],
  );
  if (!current?.run) {
    return (
      <div className="flex h-full flex-col gap-3 overflow-y-auto px-5 py-4">
        <ThoughtNow card={card} />
        <p className="text-muted text-sm">The terminal opens when the training begins.</p>
      </div>
    );
  }
  return (
    <div className="h-full">
      <TerminalView subscribe={subscribe} isLive label={`Output of experiment ${n}`} />
    </div>
  );
}

async function followOutput(
  study: string,
  n: number,
  k: number,
  signal: AbortSignal,
  onData: (bytes: Uint8Array, skipped: number) => void,
): Promise<void> {
  try {
    for await (const { data, skipped } of await getClient().experiments.output({ study, n, k }, { signal })) {
      onData(
        Uint8Array.from(atob(data), letter => letter.charCodeAt(0)),
        skipped,
      );
    }
  } catch {
    // A lost connection has its own notice, and the cell's log contains everything.
  }
}
