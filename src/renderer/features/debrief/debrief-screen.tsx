import { CircleX, Moon } from 'lucide-react';
import { useState } from 'react';
import type { Debrief } from '../../../shared/debrief/debrief.ts';
import {
  describeCertainty,
  describeCounts,
  describeProgress,
  describeStop,
} from '../../../shared/debrief/describe-debrief.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { counted, formatDayTime } from '../../../shared/numbers.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { Select, type SelectOption } from '../../ui/select.tsx';
import { Arms } from './arms.tsx';
import {
  Crashes,
  DeadEnds,
  Instructions,
  Kept,
  NearMisses,
  Resources,
  Surprises,
  TakenBack,
} from './debrief-parts.tsx';
import { NextSteps } from './next-steps.tsx';
import { ReportMenu } from './report-menu.tsx';
import { ToCell } from './section.tsx';
import { WrittenSummary } from './written-summary.tsx';

/** The whole study, or the place of a sitting; -1 is the last one. */
type Part = 'study' | number;

/** What the study achieved: since the user left, or as a whole. */
export function DebriefScreen({ card }: { readonly card: StudyCard }) {
  const hasSittings = card.state !== 'imported' && card.state !== 'ready';
  const [part, setPart] = useState<Part>(hasSittings ? -1 : 'study');
  const sitting = part === 'study' ? null : part;
  const subject = JSON.stringify(['debrief', card.id, sitting]);
  // Every verdict changes it; other events of a running study do not.
  const version = JSON.stringify([card.tally.finished, card.state, card.claims, card.activeAt]);
  const { value, problem, again } = useCall(
    `${subject} ${version}`,
    () => getClient().studies.debrief({ study: card.id, sitting }),
    subject,
  );
  if (problem && !value) {
    return <EmptyState title="The debrief cannot be read">{problem}</EmptyState>;
  }
  if (!value) return <Loading />;
  if (value.counts.tried === 0 && value.sittings.length < 2) {
    if (card.stopReason === 'baseline_failed') return <FailedBaseline />;
    return (
      <EmptyState icon={<Moon size={28} />} title="Nothing to report yet">
        Once an experiment has its verdict, this page says what worked, what did not, and what to do next.
      </EmptyState>
    );
  }
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-6 py-5">
      <article aria-label="Debrief" className="mx-auto flex max-w-5xl flex-col gap-8">
        <Summary debrief={value} part={part} onPart={setPart} card={card} />
        <WrittenSummary debrief={value} card={card} onWritten={again} />
        <NextSteps debrief={value} />
        <Kept debrief={value} />
        <TakenBack debrief={value} />
        <NearMisses debrief={value} />
        <Surprises debrief={value} />
        <DeadEnds debrief={value} />
        <Crashes debrief={value} />
        <Arms debrief={value} card={card} />
        <Instructions debrief={value} path={card.contract.instructions} />
        <Resources debrief={value} />
      </article>
    </div>
  );
}

function Summary({
  debrief,
  part,
  onPart,
  card,
}: {
  readonly debrief: Debrief;
  readonly part: Part;
  readonly onPart: (part: Part) => void;
  readonly card: StudyCard;
}) {
  const { sittings, sitting } = debrief;
  const stop = describeStop(debrief);
  const now = Date.now();
  const options: readonly SelectOption<Part>[] = [
    { value: 'study', label: 'The whole study' },
    ...sittings
      .map(({ from, until, experiments }, place) => ({
        value: place,
        label: `${formatDayTime(from, now)} to ${until === null ? 'now' : formatDayTime(until, now)}, ${counted(experiments, 'verdict')}`,
      }))
      .toReversed(),
  ];
  return (
    <header className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <Select
          aria-label="What the debrief is about"
          value={part === 'study' ? 'study' : (sitting ?? 'study')}
          options={options}
          onChange={onPart}
          className="h-7 max-w-full px-2 text-sm"
        />
        <span className="flex-1" />
        <ReportMenu card={card} sitting={sitting} />
      </div>
      <p className="tabular text-balance font-semibold text-2xl leading-snug tracking-tight">
        {describeProgress(debrief)}
      </p>
      <p className="text-muted">{[describeCounts(debrief), stop].filter(Boolean).join(' ')}</p>
      <ul aria-label="What is claimed" className="text-sm">
        {sitting !== null && sittings.length > 1 ? <li className="text-muted">Of the whole study:</li> : null}
        {describeCertainty(debrief).map(sentence => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </header>
  );
}

function FailedBaseline() {
  return (
    <EmptyState icon={<CircleX size={28} />} title="Nothing was tried, because the baseline failed">
      The code as it is gave no valid number, so there is nothing to compare with. <ToCell n={0} /> says why.
      Once the cause is gone, resuming trains it again. If the code has to change, commit it and set up a new
      study, which begins at that commit.
    </EmptyState>
  );
}
