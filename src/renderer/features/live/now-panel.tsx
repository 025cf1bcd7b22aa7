import { Maximize2 } from 'lucide-react';
import { useState } from 'react';
import { describeInFlight } from '../../../shared/in-flight.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, formatClock, formatDelta, formatNumber } from '../../../shared/numbers.ts';
import { goTo } from '../../app/actions.ts';
import { AXIS_LABELS } from '../../charts/series-axis.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { OneLine } from '../../ui/one-line.tsx';
import { MachineNow } from './machine-now.tsx';
import { NOW_PLACE } from './now-place.ts';
import { BudgetBar, phaseWords, useRunClock } from './now-running.tsx';
import { ThoughtNow } from './thought-now.tsx';
import { useLiveLine } from './use-live-line.ts';

/** What is running now, beside the notebook. */
export function NowPanel({ card }: { readonly card: StudyCard }) {
  const [width, setWidth] = useState(280);
  const clock = useRunClock(card);
  const { lines, name, newest, incumbentNow } = useLiveLine(card, 'training', width);
  const { current, contract } = card;
  const value = name === null ? null : (newest?.values[name] ?? null);
  const left = clock ? contract.budget.seconds - clock.seconds : null;
  return (
    <aside aria-label="Running now" className={NOW_PLACE}>
      <div className="flex flex-col gap-3 px-4 py-3">
        <div className="flex items-center justify-between">
          <h2 className="font-medium text-muted text-xs">
            {current
              ? `Experiment ${current.n}`
              : card.isStarting
                ? 'Starting'
                : card.state === 'paused'
                  ? 'Paused'
                  : 'Between experiments'}
          </h2>
          <IconButton label="Live view" shortcut="2" onClick={() => goTo({ name: 'study', tab: 'live' })}>
            <Maximize2 size={14} aria-hidden />
          </IconButton>
        </div>
        {current ? (
          <>
            {current.hypothesis === null ? null : (
              <p className="line-clamp-4 break-words font-medium" title={current.hypothesis}>
                {current.hypothesis}
              </p>
            )}
            <ThoughtNow card={card} />
            {current.phase === 'reviewing' ? (
              <Button kind="primary" onClick={() => goTo({ name: 'study', tab: 'live' })}>
                Review the proposal
              </Button>
            ) : null}
            <div>
              <p className="flex items-baseline justify-between text-sm">
                <span className="text-muted">{phaseWords(current.phase)}</span>
                {left === null ? null : (
                  <span className="tabular">
                    {left >= 0 ? `${formatClock(left)} left` : `${formatClock(-left)} over its budget`}
                  </span>
                )}
              </p>
              <BudgetBar share={clock?.share ?? 0} />
            </div>
            <div className="tabular flex items-baseline justify-between text-sm">
              <span className="text-muted">
                {name ?? 'loss'}
                {newest?.values.step === undefined ? '' : ` at step ${formatNumber(newest.values.step)}`}
              </span>
              <span>
                <span className="font-medium">{value === null ? ABSENT : formatNumber(value)}</span>
                {value !== null && incumbentNow !== null ? (
                  <span className="ml-2 text-muted text-xs" title="Against the incumbent at the same time">
                    {formatDelta(value - incumbentNow)}
                  </span>
                ) : null}
              </span>
            </div>
            <SeriesChart
              lines={lines}
              xLabel={AXIS_LABELS.training}
              height={150}
              label="Live loss against the incumbent"
              budgetX={contract.budget.seconds}
              onWidth={setWidth}
            />
          </>
        ) : (
          <p className="text-muted text-sm">
            {card.state === 'paused' ? 'Nothing trains until you continue.' : 'Getting ready …'}
          </p>
        )}
        <Others card={card} />
        <MachineNow isSmall />
      </div>
    </aside>
  );
}

/** The other experiments in flight, if there are several lanes; the live view shows more of each. */
function Others({ card: { inFlight, current } }: { readonly card: StudyCard }) {
  const others = inFlight.filter(({ n }) => n !== current?.n);
  if (others.length === 0) return null;
  return (
    <section aria-label="Other lanes" className="flex flex-col gap-1">
      <h2 className="font-medium text-muted text-xs">{describeInFlight({ inFlight })}</h2>
      <ul className="flex flex-col gap-1 text-sm">
        {others.map(({ n, phase, hypothesis }) => (
          <li key={n} className="flex items-baseline gap-2" title={hypothesis ?? undefined}>
            <span className="tabular shrink-0 text-accent">#{n}</span>
            <span className="flex min-w-0 flex-1">
              <OneLine text={hypothesis ?? phaseWords(phase)} />
            </span>
            {phase === 'training' || hypothesis === null ? null : (
              <span className="shrink-0 text-muted text-xs">{phaseWords(phase)}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
