import { MoonStar } from 'lucide-react';
import { useCallback, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, formatClock, formatDelta, formatNumber } from '../../../shared/numbers.ts';
import { isActive, useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCurves } from '../../app/use-curves.ts';
import { CurveTools } from '../../charts/curve-tools.tsx';
import { AXIS_LABELS, isTime } from '../../charts/series-axis.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { TerminalView } from '../../viewers/terminal-view.tsx';
import { ReviewPanel } from '../review/review-panel.tsx';
import { EndRunButton } from './end-run-button.tsx';
import { LaneTiles } from './lane-tiles.tsx';
import { MachineNow } from './machine-now.tsx';
import { phaseWords, useRunClock } from './now-running.tsx';
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
    <div className="grid min-h-0 flex-1 grid-cols-1 grid-rows-[repeat(3,max-content)_minmax(12rem,1fr)] overflow-y-auto lg:grid-cols-[minmax(0,1fr)_19rem] lg:grid-rows-[max-content_max-content_minmax(8rem,1fr)] min-[1180px]:grid-cols-[minmax(0,1fr)_22rem]">
      {/* Tall enough to show the top of a third row of tiles. */}
      <div className="col-span-full max-h-88 min-w-0 overflow-y-auto">
        {whole.inFlight.length > 1 ? <LaneTiles card={whole} shown={shown} onShow={setChosen} /> : null}
      </div>
      <LiveCurve card={card} />
      <aside
        aria-label="Machine now"
        className="@container border-line border-b bg-surface lg:relative lg:border-l"
      >
        {/* Beside the curve it is as tall as that, however many GPUs there are. */}
        <div className="overflow-y-auto px-5 py-4 lg:absolute lg:inset-0 lg:px-4">
          <MachineNow isSmall />
        </div>
      </aside>
      <div className="col-span-full min-h-0 min-w-0">
        <Terminal card={card} />
      </div>
    </div>
  );
}

function LiveCurve({ card }: { readonly card: StudyCard }) {
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
    <section aria-label="Live curve" className="border-line border-b bg-surface px-5 py-3">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
        <p className="min-w-80 flex-1 break-words font-medium">
          {current ? `#${current.n} ${current.hypothesis ?? ''}` : 'Between two experiments'}
        </p>
        {current ? (
          <EndRunButton key={`${current.n}.${current.run?.k}`} study={card.id} experiment={current} />
        ) : null}
        <CurveTools {...tools} />
      </div>
      <dl className="my-2 flex flex-wrap gap-x-8 gap-y-1">
        {figures.map(([label, text]) => (
          <div key={label}>
            <dt className="text-muted text-xs">{label}</dt>
            <dd className="tabular font-medium text-lg">{text}</dd>
          </div>
        ))}
      </dl>
      <SeriesChart
        lines={lines}
        xLabel={AXIS_LABELS[by]}
        height={200}
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
    return <p className="p-5 text-muted text-sm">The terminal opens when the training begins.</p>;
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
