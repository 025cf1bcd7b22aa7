import { greatest, mean } from 'd3-array';
import { Maximize, Minimize, X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { betterSide } from '../../../shared/contract/contract.ts';
import { expectedEnd } from '../../../shared/expected-end.ts';
import { describeInFlight, nextToEnd } from '../../../shared/in-flight.ts';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import {
  ABSENT,
  formatClock,
  formatDayTime,
  formatDelta,
  formatDuration,
  formatMetric,
  formatNumber,
  formatPercent,
  formatRelative,
} from '../../../shared/numbers.ts';
import { titleOf } from '../../../shared/overview.ts';
import { countTried } from '../../../shared/tried.ts';
import { attempt } from '../../app/actions.ts';
import { isActive, useStore } from '../../app/store.ts';
import { IconButton } from '../../ui/button.tsx';
import { returnFocus } from '../../ui/return-focus.ts';
import { StatePill } from '../../ui/state-pill.tsx';
import { useNow } from '../../ui/use-now.ts';
import { BudgetBar, phaseWords, useRunClock } from '../live/now-running.tsx';

/** A view to read from across the room: the best value, the progress, the last gain, the GPU. */
export function LargeView({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const { isFull, toggle } = useFullScreen();
  return (
    <Radix.Root open onOpenChange={isOpen => !isOpen && onClose()}>
      <Radix.Portal>
        <Radix.Content
          aria-describedby={undefined}
          // A focused button would show its tooltip, and the first Escape would only close that.
          onOpenAutoFocus={event => {
            event.preventDefault();
            if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
          }}
          onCloseAutoFocus={returnFocus}
          className="fixed inset-0 z-50 flex flex-col overflow-auto bg-paper p-[4vmin] text-ink"
        >
          <header className="flex items-center gap-4">
            <Radix.Title className="min-w-0 truncate font-semibold text-[clamp(1.25rem,3.5vmin,3rem)]">
              {titleOf(card)}
            </Radix.Title>
            <StatePill card={card} />
            <span className="flex-1" />
            <IconButton label={isFull ? 'Back to the window' : 'Fill the screen'} onClick={toggle}>
              {isFull ? <Minimize size={20} aria-hidden /> : <Maximize size={20} aria-hidden />}
            </IconButton>
            <Radix.Close asChild>
              <IconButton label="Close" shortcut="Esc">
                <X size={20} aria-hidden />
              </IconButton>
            </Radix.Close>
          </header>
          <Best card={card} />
          <dl className="grid grid-cols-2 gap-x-[4vmin] gap-y-[3vmin] lg:grid-cols-4">
            <Progress card={card} />
            <LastGain card={card} />
            <Now card={card} />
            <GpuNow />
          </dl>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Whether the window is full screen, which only a click may request; leaving this view ends it. */
function useFullScreen() {
  const [isFull, setFull] = useState(document.fullscreenElement !== null);
  useEffect(() => {
    const follow = () => setFull(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', follow);
    return () => {
      document.removeEventListener('fullscreenchange', follow);
      if (document.fullscreenElement) void document.exitFullscreen();
    };
  }, []);
  const toggle = () =>
    void attempt(() => (isFull ? document.exitFullscreen() : document.documentElement.requestFullscreen()));
  return { isFull, toggle };
}

function Best({ card }: { readonly card: StudyCard }) {
  const { tally, contract } = card;
  const { best, baseline, bestExperiment } = tally;
  const share = best !== null && baseline ? (best - baseline) / Math.abs(baseline) : null;
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center py-[3vmin]">
      <p className="text-[clamp(1rem,3vmin,2rem)] text-muted">
        best {contract.metric.name}, {betterSide(contract.metric.goal)} is better
      </p>
      <p className="tabular font-semibold text-[clamp(4rem,26vmin,20rem)] leading-none tracking-tight">
        {best === null ? ABSENT : formatMetric(best)}
      </p>
      <p className="text-[clamp(1rem,3.5vmin,2.5rem)] text-muted">
        {share === null || bestExperiment === 0
          ? 'no gain yet'
          : `${formatPercent(share, 2)} from ${formatMetric(baseline)}, in #${bestExperiment}`}
      </p>
    </div>
  );
}

/** One of the facts below the best value. */
function Fact({
  name,
  value,
  children,
}: {
  readonly name: string;
  readonly value: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="min-w-0">
      <dt className="text-[clamp(0.8rem,2.2vmin,1.4rem)] text-muted">{name}</dt>
      <dd>
        <p className="tabular truncate font-semibold text-[clamp(1.5rem,6vmin,4.5rem)] leading-tight">
          {value}
        </p>
        <div className="line-clamp-2 text-[clamp(0.8rem,2.2vmin,1.4rem)] text-muted">{children}</div>
      </dd>
    </div>
  );
}

function Progress({ card }: { readonly card: StudyCard }) {
  const now = useNow(10_000);
  const { tried, keep, crash } = countTried(card.tally);
  const { experiments } = card.stop;
  const end = expectedEnd(card, now);
  return (
    <Fact
      name="Tried"
      value={
        experiments === undefined
          ? formatNumber(tried)
          : `${formatNumber(tried)} of ${formatNumber(experiments)}`
      }
    >
      {end
        ? `${formatDuration(Math.max(0, end.at - now) / 1000)} to go, ${end.by === 'deadline' ? 'until' : 'about'} ${formatDayTime(end.at, now)}`
        : `${formatNumber(keep)} kept, ${formatNumber(crash)} crashed`}
    </Fact>
  );
}

function LastGain({ card }: { readonly card: StudyCard }) {
  const now = useNow(10_000);
  const cells = useStore(state => (state.notebook?.study === card.id ? state.notebook.cells : null));
  const last = useMemo(
    () =>
      greatest(
        (cells ?? []).filter((cell): cell is Cell => cell?.verdict?.word === 'keep' && cell.n > 0),
        cell => cell.endedAt ?? 0,
      ),
    [cells],
  );
  if (!last) return <Fact name="Last gain" value={ABSENT} />;
  const ago = last.endedAt === null ? '' : `${formatRelative(last.endedAt, now)}: `;
  return (
    <Fact name="Last gain" value={formatDelta(last.delta)}>
      #{last.n}, {ago}
      {last.hypothesis}
    </Fact>
  );
}

function Now({ card: whole }: { readonly card: StudyCard }) {
  const several = describeInFlight(whole);
  const card = several === null ? whole : { ...whole, current: nextToEnd(whole) ?? whole.current };
  const clock = useRunClock(card);
  const { current } = card;
  if (!isActive(card) || !current) return <Fact name="Now" value="idle" />;
  return (
    <Fact
      name={
        several === null
          ? `Now: #${current.n}, ${phaseWords(current.phase).toLowerCase()}`
          : `Now: ${several}`
      }
      value={clock ? formatClock(clock.seconds) : phaseWords(current.phase)}
    >
      {clock ? <BudgetBar share={clock.share} /> : null}
      {several !== null && clock ? `#${current.n} ends first: ` : ''}
      {current.hypothesis}
    </Fact>
  );
}

function GpuNow() {
  const newest = useStore(state => state.telemetry.at(-1));
  const gpus = newest?.gpus ?? [];
  const percent = (value: number | undefined) => (value === undefined ? ABSENT : `${Math.round(value)} %`);
  if (gpus.length === 0) return <Fact name="CPU" value={percent(newest?.host.cpuPercent)} />;
  const use = mean(gpus, ({ utilizationPercent }) => utilizationPercent);
  const names = [...new Set(gpus.map(({ name }) => name))].join(', ');
  return (
    <Fact name={gpus.length === 1 ? 'GPU' : `${gpus.length} GPUs, mean`} value={percent(use)}>
      {names}
    </Fact>
  );
}
