import { FileX, RotateCcw } from 'lucide-react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatBytes } from '../../../shared/numbers.ts';
import { type MemoryAuthor, sourceLabel, sourcesIn } from '../../../shared/proposers/memory.ts';
import { canRead, proposerLabel } from '../../../shared/proposers/proposers.ts';
import { openExperiment } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { VersionedEditor } from './versioned-editor.tsx';

export const MEMORY_TITLE = 'What earlier studies learnt';

/** What the study's proposers read about earlier studies, the source of each line, and ways to change it. */
export function MemoryPart({ card }: { readonly card: StudyCard }) {
  const study = card.id;
  // A terminal command may change it too; a new mark shows that.
  const news = useStore(state =>
    state.notebook?.study === study ? state.notebook.marks.findLast(({ kind }) => kind === 'memory')?.id : 0,
  );
  const { value, problem, again } = useCall(
    `memory ${study} ${news ?? 0}`,
    () => getClient().memory.read({ study }),
    `memory ${study}`,
  );
  if (!value) {
    return problem ? (
      <EmptyState icon={<FileX size={28} />} title="What earlier studies learnt cannot be read">
        <p className="mb-3">{problem}</p>
        <Button onClick={again}>Read again</Button>
      </EmptyState>
    ) : (
      <p className="p-6 text-muted" role="status">
        Reading …
      </p>
    );
  }
  return (
    <VersionedEditor
      name={MEMORY_TITLE}
      title={MEMORY_TITLE}
      given={value}
      hint={hintFor(card, value.text, value.versions[0]?.author)}
      describe={({ id, at, bytes, author }) => ({
        title: bytes === 0 ? `Version ${id}: nothing` : `Version ${id}`,
        more: (
          <>
            <RelativeTime at={at} /> · {author === 'you' ? 'by you' : 'made by Pawl'} · {formatBytes(bytes)}
          </>
        ),
      })}
      calls={{
        read: () => getClient().memory.read({ study }),
        version: id => getClient().memory.version({ study, id }),
        save: (text, base) => getClient().memory.save({ study, text, base }),
      }}
      actions={({ saved, isChanged, run }) => (
        <>
          <Button
            size="small"
            kind="quiet"
            disabled={isChanged}
            onClick={() =>
              run(
                base => getClient().memory.again({ study, base }),
                'Made from the current state of the other studies.',
              )
            }
          >
            <RotateCcw size={13} aria-hidden /> Make it again
          </Button>
          <Button
            size="small"
            kind="quiet"
            disabled={isChanged || saved.text === ''}
            onClick={() =>
              run(
                base => getClient().memory.save({ study, text: '', base }),
                'Left out. Proposers no longer see what earlier studies learnt.',
              )
            }
          >
            Leave it out
          </Button>
        </>
      )}
      aside={text => <Sources card={card} text={text} />}
    />
  );
}

function hintFor(card: StudyCard, text: string, author: MemoryAuthor | undefined): string {
  if (text === '') {
    return author === 'you'
      ? 'Left out: proposers do not see what earlier studies learnt.'
      : `No other study of this repository had results in ${card.contract.metric.name} yet.`;
  }
  return canRead(card.proposer)
    ? 'Given to the proposer with every request, as background.'
    : `The proposer of this study (${proposerLabel(card.proposer)}) cannot read it.`;
}

/** The experiments that the text names, as links. */
function Sources({ card, text }: { readonly card: StudyCard; readonly text: string }) {
  const studies = useStore(state => state.studies);
  const sources = sourcesIn(text);
  if (sources.length === 0) return null;
  const studyOf = (label: string) =>
    studies.find(
      study => sourceLabel(study) === label && (study.importedFrom !== null || study.gitDir === card.gitDir),
    )?.id;
  return (
    <section aria-label="Where it comes from" className="mb-5">
      <h2 className="mb-2 px-2 font-medium text-muted text-xs">Where it comes from</h2>
      <ul className="flex flex-col gap-2 px-2">
        {sources.map(({ label, ns }) => {
          const id = studyOf(label);
          return (
            <li key={label}>
              <span className="block break-words font-mono text-xs">{label}</span>
              <span className="mt-0.5 flex flex-wrap gap-x-2 gap-y-0.5 text-xs">
                {[...ns]
                  .sort((a, b) => a - b)
                  .map(n =>
                    id === undefined ? (
                      <span key={n} className="text-muted">
                        #{n}
                      </span>
                    ) : (
                      <button
                        key={n}
                        type="button"
                        aria-label={`Experiment ${n} of ${label}`}
                        onClick={() => openExperiment(id, n)}
                        className="tabular text-accent hover:underline"
                      >
                        #{n}
                      </button>
                    ),
                  )}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
