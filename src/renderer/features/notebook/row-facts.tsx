import { StickyNote } from 'lucide-react';
import { memo } from 'react';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import { counted, formatDuration, formatNumber } from '../../../shared/numbers.ts';
import { reasonWords } from '../../../shared/verdicts/reason-words.ts';
import { TRUST_WORDS, trustOf } from '../../../shared/verdicts/trust.ts';
import { knownTime } from '../../format/known-time.ts';
import { ClaimMark } from '../../ui/claim-mark.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { Marked } from './match-marks.tsx';

type Props = {
  readonly card: StudyCard;
  readonly cell: Cell;
  readonly matcher: RegExp | null;
};

/** These reasons are told elsewhere in the row. */
const UNTOLD: readonly string[] = ['imported', 'rolled_back', 'baseline'];

/**
 * The line below a hypothesis. The most important comes first: what does not fit wraps to a hidden second line, and
 * only a single fact that is too long for the line is cut.
 */
export const RowFacts = memo(function RowFacts({ card, cell, matcher }: Props) {
  const at = knownTime(cell);
  return (
    <p className="flex h-4 flex-wrap gap-x-2 overflow-hidden text-muted text-xs *:cut-off *:max-w-full">
      <Failure cell={cell} matcher={matcher} />
      {cell.whyWaiting === null ? null : <span title={cell.whyWaiting}>{cell.whyWaiting}</span>}
      <Standing card={card} cell={cell} />
      {cell.category ? <span>{cell.category}</span> : null}
      {cell.verdict && !hasFailed(cell) && !UNTOLD.includes(cell.verdict.reason) ? (
        <span>{reasonWords(cell.verdict)}</span>
      ) : null}
      {cell.notes > 0 ? (
        <span className="inline-flex items-center gap-1">
          <StickyNote size={11} aria-hidden /> {counted(cell.notes, 'note')}
        </span>
      ) : null}
      {cell.tags.map(tag => (
        <span key={tag} className="rounded bg-accent-soft px-1.5 text-accent">
          {tag}
        </span>
      ))}
      {cell.trainedSeconds === null ? null : (
        <span className="tabular">{formatDuration(cell.trainedSeconds)}</span>
      )}
      {cell.memory === null ? null : (
        <span className="tabular @max-3xl:hidden">
          {card.contract.metric.memory ?? 'memory'} {formatNumber(cell.memory)}
        </span>
      )}
      {at === null ? null : <RelativeTime at={at} />}
    </p>
  );
});

function hasFailed({ crash, verdict }: Cell): boolean {
  return crash !== null || verdict?.reason === 'guard';
}

/** Why an experiment has no number that counts. */
function Failure({ cell, matcher }: Omit<Props, 'card'>) {
  const { crash, verdict } = cell;
  if (!verdict || !hasFailed(cell)) return null;
  if (crash === null) return <span>{reasonWords(verdict)}</span>;
  return (
    <span title={crash}>
      {verdict.reason === 'imported' ? null : `${reasonWords(verdict)}: `}
      <span className="text-crash">
        <Marked text={crash} matcher={matcher} />
      </span>
    </span>
  );
}

/** What the experiment is to the study: its claim, whether it is the best, where it comes from. */
function Standing({ card, cell }: Omit<Props, 'matcher'>) {
  const claim = card.claims?.keeps.find(({ n }) => n === cell.n) ?? null;
  const trust =
    cell.verdict && cell.isContained !== null
      ? trustOf(card.contract, cell.isContained, cell.isAudited)
      : null;
  return (
    <>
      {claim ? <ClaimMark claim={claim} /> : null}
      {card.tally.bestExperiment === cell.n ? (
        <span className="font-medium text-keep">best so far</span>
      ) : null}
      {cell.supersededBy === null ? null : (
        <span title="That one was made before this was kept, does not contain its edit, and did better.">
          superseded by #{cell.supersededBy}
        </span>
      )}
      {cell.otherLine === null ? null : (
        <span title="It builds on an experiment that was not on the branch.">from #{cell.otherLine}</span>
      )}
      {cell.isEdited ? (
        <span className="text-accent" title="You changed the proposal before it ran.">
          changed by you
        </span>
      ) : null}
      {cell.isContained === false ? <span className="text-warn">not contained</span> : null}
      {trust && (card.contract.score || cell.isAudited) ? (
        <span title={TRUST_WORDS[trust]}>{trust}</span>
      ) : null}
    </>
  );
}
