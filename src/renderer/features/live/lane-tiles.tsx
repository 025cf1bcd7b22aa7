import type { CurrentExperiment, StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, formatClock, formatDelta, formatNumber } from '../../../shared/numbers.ts';
import { useStore } from '../../app/store.ts';
import { useCurves } from '../../app/use-curves.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { useWidth } from '../../charts/use-width.ts';
import { OneLine } from '../../ui/one-line.tsx';
import { BudgetBar, phaseWords, useRunClock } from './now-running.tsx';
import { hasLiveTokens, useLiveLine } from './use-live-line.ts';

/** Four fit side by side in a window of 1280 px. */
const TILE_PX = 232;

/** A tile for each lane of a study; one of them is shown in detail. */
export function LaneTiles({
  card,
  shown,
  onShow,
}: {
  readonly card: StudyCard;
  readonly shown: CurrentExperiment | null;
  readonly onShow: (n: number) => void;
}) {
  return (
    <ul
      aria-label="Lanes"
      className="grid gap-2 border-line border-b bg-surface px-5 py-3 short:py-2"
      style={{ gridTemplateColumns: `repeat(auto-fill, minmax(${TILE_PX}px, 1fr))` }}
    >
      {card.inFlight.map(experiment => (
        <li key={experiment.n}>
          <LaneTile
            card={{ ...card, current: experiment }}
            experiment={experiment}
            isShown={experiment.n === shown?.n}
            onShow={onShow}
          />
        </li>
      ))}
    </ul>
  );
}

function LaneTile({
  card,
  experiment,
  isShown,
  onShow,
}: {
  readonly card: StudyCard;
  readonly experiment: CurrentExperiment;
  readonly isShown: boolean;
  readonly onShow: (n: number) => void;
}) {
  const clock = useRunClock(card);
  const hasTokens = useStore(({ live }) => hasLiveTokens(live));
  // The same x axis as the curve below, so that both show the same difference.
  const { by } = useCurves('live', hasTokens);
  const { lines, name, newest, incumbentNow } = useLiveLine(card, by, TILE_PX);
  const { ref, width } = useWidth<HTMLSpanElement>();
  const own = lines.find(({ isBehind }) => !isBehind);
  const value = name === null ? null : (newest?.values[name] ?? null);
  const left = clock ? card.contract.budget.seconds - clock.seconds : null;
  const state =
    left === null
      ? phaseWords(experiment.phase)
      : `${formatClock(Math.abs(left))} ${left < 0 ? 'over' : 'left'}`;
  return (
    <button
      type="button"
      aria-pressed={isShown}
      onClick={() => onShow(experiment.n)}
      className={`flex w-full flex-col gap-1 rounded-md border px-3 py-2 text-left short:gap-0.5 short:py-1.5 ${
        isShown ? 'border-accent bg-accent-soft' : 'border-line hover:bg-sunken'
      }`}
    >
      <span className="flex w-full items-baseline justify-between gap-2 text-xs">
        <span className="tabular font-medium text-accent">#{experiment.n}</span>
        <span className="flex min-w-0 text-muted" title={experiment.run?.lane ?? undefined}>
          <OneLine text={experiment.run?.lane ?? ''} />
        </span>
        <span className="tabular shrink-0">{state}</span>
      </span>
      <span
        className="line-clamp-2 h-10 w-full break-words text-sm leading-5 short:line-clamp-1 short:h-5 short:break-all"
        title={experiment.hypothesis ?? undefined}
      >
        {experiment.hypothesis}
      </span>
      <span ref={ref} className="block h-9 w-full overflow-hidden short:hidden">
        {own && own.y.length > 1 ? (
          <Sparkline y={own.y} width={width} height={36} label={`Curve of experiment ${experiment.n}`} />
        ) : null}
      </span>
      <span className="tabular flex w-full items-baseline justify-between text-xs">
        <span className="text-muted">{name ?? 'loss'}</span>
        <span>
          <span className="font-medium">{value === null ? ABSENT : formatNumber(value)}</span>
          {value !== null && incumbentNow !== null ? (
            <span className="ml-2 text-muted">{formatDelta(value - incumbentNow)}</span>
          ) : null}
        </span>
      </span>
      <BudgetBar share={clock?.share ?? 0} />
    </button>
  );
}
