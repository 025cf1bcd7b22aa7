import { useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import type { Idea } from '../../../shared/proposers/ideas.ts';
import { goTo, revealCell } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { OneLine } from '../../ui/one-line.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { VerdictBadge } from '../../ui/verdict-badge.tsx';
import { Author } from './idea-row.tsx';

/** How many are shown until the user asks for the rest. */
const SHOWN = 5;

/** The outcomes of ideas that are no longer waiting. */
export function PastIdeas({
  card,
  past,
  onRestore,
}: {
  readonly card: StudyCard;
  readonly past: readonly Idea[];
  readonly onRestore: (id: number) => void;
}) {
  const [isAll, setAll] = useState(false);
  if (past.length === 0) return null;
  const shown = isAll ? past : past.slice(0, SHOWN);
  return (
    <section aria-labelledby="past-ideas" className="mt-5">
      <h3 id="past-ideas" className="mb-1 font-medium text-muted text-xs">
        Earlier ideas
      </h3>
      <ul className="divide-y divide-line border-line border-y">
        {shown.map(idea => (
          <li key={idea.id} aria-label={idea.hypothesis} className="flex items-start gap-4 px-1 py-1.5">
            <div className="min-w-0 flex-1">
              <p className="flex text-sm" title={idea.hypothesis}>
                <OneLine text={idea.hypothesis} />
              </p>
              <p className="flex flex-wrap items-center gap-x-2.5 text-muted text-xs">
                <Author name={idea.author} />
                <RelativeTime at={idea.at} />
              </p>
              {idea.message ? <p className="break-words text-muted text-xs">{idea.message}</p> : null}
            </div>
            <Outcome card={card} idea={idea} onRestore={onRestore} />
          </li>
        ))}
      </ul>
      {past.length > shown.length ? (
        <button
          type="button"
          className="mt-1.5 text-accent text-sm underline-offset-2 hover:underline"
          onClick={() => setAll(true)}
        >
          Show {past.length - shown.length} more
        </button>
      ) : null}
    </section>
  );
}

function Outcome({
  card,
  idea,
  onRestore,
}: {
  readonly card: StudyCard;
  readonly idea: Idea;
  readonly onRestore: (id: number) => void;
}) {
  const { state, n } = idea;
  const cell = useStore(({ notebook }) =>
    state === 'taken' && n !== null && notebook?.study === card.id ? notebook.cells[n] : undefined,
  );
  return (
    <div className="flex shrink-0 items-center gap-3 text-sm">
      {state === 'dropped' ? (
        <>
          <span className="text-muted">dropped</span>
          <button
            type="button"
            className="text-accent underline-offset-2 hover:underline"
            onClick={() => onRestore(idea.id)}
          >
            Put back
          </button>
        </>
      ) : null}
      {state === 'refused' ? <span className="font-medium text-warn">refused</span> : null}
      {cell ? <VerdictBadge word={cell.verdict?.word ?? null} phase={cell.phase} /> : null}
      {state === 'taken' && n !== null ? (
        <button
          type="button"
          aria-label={`Experiment ${n}`}
          className="tabular text-accent underline-offset-2 hover:underline"
          onClick={() => {
            goTo({ name: 'study', tab: 'notebook' });
            revealCell(n, true);
          }}
        >
          #{n}
        </button>
      ) : null}
    </div>
  );
}
