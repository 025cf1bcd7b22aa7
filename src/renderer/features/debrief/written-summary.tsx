import { Sparkles } from 'lucide-react';
import { Fragment, useState } from 'react';
import type { Debrief, DebriefSummary } from '../../../shared/debrief/debrief.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { counted } from '../../../shared/numbers.ts';
import { modelArms } from '../../../shared/proposers/proposers.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { ToCell } from './section.tsx';

/** The debrief's summary by the study's own model, labelled as such; or the offer to request one. */
export function WrittenSummary({
  debrief,
  card,
  onWritten,
}: {
  readonly debrief: Debrief;
  readonly card: StudyCard;
  readonly onWritten: () => void;
}) {
  const [isAsking, setAsking] = useState(false);
  const { summary, sitting, counts } = debrief;
  const arm = card.state === 'imported' ? undefined : modelArms(card.proposer)[0];
  if (!summary && (!arm || counts.tried === 0)) return null;
  const ask = async () => {
    setAsking(true);
    const input = { study: card.id, sitting };
    if (await attempt(() => getClient().studies.summarise(input))) onWritten();
    setAsking(false);
  };
  const button = arm ? (
    <Button size="small" disabled={isAsking} onClick={() => void ask()}>
      <Sparkles size={13} aria-hidden />
      {isAsking ? `${arm.model} is writing …` : summary ? 'Write it again' : `Let ${arm.model} sum it up`}
    </Button>
  ) : null;
  if (!summary) return <p>{button}</p>;
  return (
    <section
      aria-label="Written by a model"
      className="flex flex-col gap-2 rounded-lg border border-line border-dashed bg-surface px-4 py-3"
    >
      <p className="flex flex-wrap items-center gap-2 text-muted text-xs">
        <span className="mr-auto">
          Written by {summary.model} <RelativeTime at={summary.at} />, not measured{aside(summary, card)}
        </span>
        {button}
      </p>
      {summary.sentences.map(sentence => (
        <p key={sentence} className="text-sm">
          <WithLinks text={sentence} />
        </p>
      ))}
    </section>
  );
}

function aside({ finished, dropped }: DebriefSummary, { tally }: StudyCard): string {
  const since = tally.finished - finished;
  return [
    since > 0 ? `; ${since} ${since === 1 ? 'experiment has' : 'experiments have'} ended since` : '',
    dropped > 0
      ? `; ${counted(dropped, 'sentence')} without a source ${dropped === 1 ? 'was' : 'were'} left out`
      : '',
    '.',
  ].join('');
}

/** Numbers of experiments lead to their cells. */
function WithLinks({ text }: { readonly text: string }) {
  return text.split(/(#\d+)/).map((part, place) =>
    place % 2 === 0 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: The parts of one text do not move.
      <Fragment key={place}>{part}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: The parts of one text do not move.
      <ToCell key={place} n={Number(part.slice(1))} />
    ),
  );
}
