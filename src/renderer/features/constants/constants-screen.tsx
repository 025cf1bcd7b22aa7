import { SlidersHorizontal } from 'lucide-react';
import { useRef, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { counted, formatNumber, formatPercent } from '../../../shared/numbers.ts';
import type { ConstantImportance, ImportanceAnswer } from '../../../shared/table-rows.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { useLasting } from '../../ui/use-lasting.ts';
import type { ConstantAxis } from './constant-axis.ts';
import { ParallelPlot } from './parallel-plot.tsx';
import { ScatterPlot } from './scatter-plot.tsx';
import { type Trials, useTrials } from './use-trials.ts';

/** A smaller predicted share is as good as none. */
const LEAST_FORETOLD = 0.1;
/** The shares are computed again after this many more experiments, not after each. */
const WEIGHED_EVERY = 10;

/** The constants that were changed: how much each matters, and the results of each value. */
export function ConstantsScreen({ card }: { readonly card: StudyCard }) {
  const trials = useTrials(card);
  const round = Math.floor(card.tally.finished / WEIGHED_EVERY);
  const answer = useCall(
    `${card.id} ${round} ${card.state}`,
    () => getClient().studies.importance({ study: card.id }),
    card.id,
  );
  const [isInUse, setInUse] = useState(false);
  // What the user is about to press must not move away.
  const ordering = useRef<ConstantImportance | null>(null);
  if (!isInUse) ordering.current = answer.value?.importance ?? null;
  if (trials.axes.length === 0 || !trials.metricAxis) {
    return trials.missing > 0 ? <Loading>Reading the constants …</Loading> : <NothingTurned />;
  }
  const axes = inOrder(trials.axes, ordering.current);
  return (
    <section aria-label="Constants" className="min-h-0 flex-1 overflow-y-auto px-6 py-4">
      <div
        className="flex flex-col gap-4"
        onPointerEnter={() => setInUse(true)}
        onPointerLeave={() => setInUse(false)}
      >
        <div className="grid gap-4 xl:grid-cols-[minmax(18rem,1fr)_minmax(0,2.4fr)]">
          <Importance value={answer.value} problem={answer.problem} axes={axes} />
          <ParallelPlot card={card} trials={trials} axes={axes} metricAxis={trials.metricAxis} />
        </div>
        <Values card={card} trials={trials} axes={axes} metricAxis={trials.metricAxis} />
      </div>
    </section>
  );
}

function NothingTurned() {
  return (
    <EmptyState icon={<SlidersHorizontal size={28} />} title="No constant has been changed yet">
      When an experiment gives a constant in the editable files another value, its result appears here.
    </EmptyState>
  );
}

/** The most important come first. */
function inOrder(
  axes: readonly ConstantAxis[],
  importance: ConstantImportance | null,
): readonly ConstantAxis[] {
  const rank = ({ name }: ConstantAxis) => {
    const place = importance?.shares.findIndex(share => share.name === name) ?? -1;
    return place < 0 ? axes.length : place;
  };
  return axes.toSorted((a, b) => rank(a) - rank(b));
}

function Importance({
  value,
  problem,
  axes,
}: {
  readonly value: ImportanceAnswer | null;
  readonly problem: string | null;
  readonly axes: readonly ConstantAxis[];
}) {
  return (
    <section aria-label="Importance" className="rounded-lg border border-line bg-surface p-4">
      <h2 className="mb-1 font-medium">How much each constant matters</h2>
      {problem ? <p className="text-crash text-sm">{problem}</p> : null}
      {!value && !problem ? (
        <>
          <p className="mb-3 text-muted text-xs">Weighing the constants …</p>
          <ul>
            {axes.map(({ name }) => (
              <Share key={name} name={name} share={null} most={1} />
            ))}
          </ul>
        </>
      ) : null}
      {value && !value.importance ? (
        <p className="text-muted text-sm">
          Too few experiments: {value.trials} with a comparable number, and it takes {value.least} to say
          anything.
        </p>
      ) : null}
      {value?.importance ? <Shares importance={value.importance} /> : null}
    </section>
  );
}

function Shares({ importance }: { readonly importance: ConstantImportance }) {
  const { foretold, trials, shares, isOfSearch } = importance;
  const most = shares[0]?.share ?? 1;
  const source = isOfSearch
    ? 'By the length scales that the Gaussian-process search ended with'
    : 'By a Gaussian process fitted for this view';
  const isTelling = foretold >= LEAST_FORETOLD;
  return (
    <>
      <p className="mb-3 text-muted text-xs">
        {source}, from {counted(trials, 'experiment')}: the total effect of each constant, as a share of all
        of them.{' '}
        {isTelling
          ? `It predicts ${formatPercent(foretold, 0)} of the variance of numbers it was not shown.`
          : 'It hardly predicts numbers it was not shown, so these shares say little.'}
      </p>
      <ul className={isTelling ? '' : 'opacity-60'}>
        {shares.map(({ name, share }) => (
          <Share key={name} name={name} share={share} most={most || 1} />
        ))}
      </ul>
    </>
  );
}

function Share({
  name,
  share,
  most,
}: {
  readonly name: string;
  /** Null while it is not known. */
  readonly share: number | null;
  /** The share of a full bar. */
  readonly most: number;
}) {
  return (
    <li className="grid grid-cols-[minmax(0,8rem)_1fr_2.5rem] items-center gap-2 py-0.5 text-sm">
      <span className="truncate font-mono text-xs" title={name}>
        {name}
      </span>
      <span aria-hidden className="h-2.5 rounded-sm bg-sunken">
        <span
          className="block h-full rounded-sm bg-accent"
          style={{ width: `${(100 * (share ?? 0)) / most}%` }}
        />
      </span>
      <span className="tabular text-right text-muted text-xs">
        {share === null ? '' : formatPercent(share, 0)}
      </span>
    </li>
  );
}

function Values({
  card,
  trials,
  axes,
  metricAxis,
}: {
  readonly card: StudyCard;
  readonly trials: Trials;
  readonly axes: readonly ConstantAxis[];
  readonly metricAxis: ConstantAxis;
}) {
  const isSlow = useLasting(trials.missing > 0);
  return (
    <section aria-label="Values">
      <div className="mb-2 flex flex-wrap items-baseline gap-x-4 text-xs">
        <h2 className="font-medium text-base">Results of each value</h2>
        <Legend />
        {isSlow ? (
          <span className="text-muted">Reading the constants of {formatNumber(trials.missing)}</span>
        ) : null}
      </div>
      <div className="grid grid-cols-[repeat(auto-fill,minmax(19rem,1fr))] gap-4">
        {axes.map(axis => (
          <ScatterPlot key={axis.name} card={card} trials={trials} axis={axis} metricAxis={metricAxis} />
        ))}
      </div>
    </section>
  );
}

function Legend() {
  return (
    <p className="flex flex-wrap items-center gap-x-3 text-muted">
      <Mark shape={<circle cx={6} cy={6} r={4} fill="var(--keep)" />}>kept</Mark>
      <Mark shape={<circle cx={6} cy={6} r={3.2} fill="none" stroke="var(--discard)" strokeWidth={1.4} />}>
        discarded
      </Mark>
      <Mark shape={<path d="M3.5 3.5h5v5h-5z" fill="var(--discard)" />}>discarded, without a number</Mark>
      <Mark shape={<path d="M3 3l6 6m0-6l-6 6" stroke="var(--crash)" strokeWidth={1.6} />}>
        crashed, without a number
      </Mark>
      <Mark shape={<path d="M6 0v12" stroke="var(--accent)" strokeWidth={1.5} strokeDasharray="3 2" />}>
        best so far
      </Mark>
      <Mark shape={<rect width={12} height={12} fill="var(--sunken)" stroke="var(--line-strong)" />}>
        not tried
      </Mark>
    </p>
  );
}

function Mark({ shape, children }: { readonly shape: React.ReactNode; readonly children: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <svg width={12} height={12} aria-hidden="true">
        {shape}
      </svg>
      {children}
    </span>
  );
}
