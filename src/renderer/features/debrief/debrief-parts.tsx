import type { Debrief, KeptIdea } from '../../../shared/debrief/debrief.ts';
import {
  askedColumns,
  askedRows,
  CRASH_COLUMNS,
  DEAD_END_COLUMNS,
  filledColumns,
  keptColumns,
  NEAR_MISS_COLUMNS,
  SURPRISE_COLUMNS,
} from '../../../shared/debrief/debrief-columns.ts';
import { certaintyOf, resourceRows, timeRows } from '../../../shared/debrief/describe-debrief.ts';
import { formatDayTime } from '../../../shared/numbers.ts';
import { ClaimMark } from '../../ui/claim-mark.tsx';
import { IdeaName, RowsTable, Section, shownAs, ToCells } from './section.tsx';

type Props = { readonly debrief: Debrief };

/** The keeps, in order. */
export function Kept({ debrief: { kept, study } }: Props) {
  if (kept.length === 0) return null;
  return (
    <Section title="What worked">
      <RowsTable
        label="What worked"
        rows={kept}
        keyOf={({ n }) => n}
        columns={shownAs(keptColumns(study.metric.name, kept), kept, {
          Idea: idea => (
            <>
              <IdeaName {...idea} />
              {idea.rationale ? (
                <p className="wrap-anywhere mt-0.5 text-muted text-xs">{idea.rationale}</p>
              ) : null}
            </>
          ),
          'Sure?': idea => <Certainty idea={idea} />,
        })}
      />
    </Section>
  );
}

function Certainty({ idea }: { readonly idea: KeptIdea }) {
  const { n, probability, isProven, isSimplification } = idea;
  if (probability === null || isSimplification)
    return <span className="whitespace-nowrap text-muted">{certaintyOf(idea)}</span>;
  return (
    <span className="whitespace-nowrap">
      <ClaimMark claim={{ n, probability, isProven }} />
    </span>
  );
}

export function TakenBack({ debrief: { takenBack } }: Props) {
  if (takenBack.length === 0) return null;
  return (
    <Section title="Taken back">
      <RowsTable
        label="Taken back"
        rows={takenBack}
        keyOf={({ n }) => n}
        columns={[
          { name: 'Idea', cell: idea => <IdeaName {...idea} /> },
          { name: 'Why', cell: ({ why }) => why },
        ]}
      />
    </Section>
  );
}

export function NearMisses({ debrief: { nearMisses } }: Props) {
  if (nearMisses.length === 0) return null;
  return (
    <Section title="Worth a second look">
      <RowsTable
        label="Worth a second look"
        rows={nearMisses}
        keyOf={({ n }) => n}
        columns={shownAs(NEAR_MISS_COLUMNS, nearMisses, { Idea: idea => <IdeaName {...idea} /> })}
      />
    </Section>
  );
}

export function Surprises({ debrief: { surprises } }: Props) {
  if (surprises.length === 0) return null;
  return (
    <Section title="Surprises">
      <RowsTable
        label="Surprises"
        rows={surprises}
        keyOf={({ n }) => n}
        columns={shownAs(SURPRISE_COLUMNS, surprises, { Idea: idea => <IdeaName {...idea} /> })}
      />
    </Section>
  );
}

export function DeadEnds({ debrief: { deadEnds } }: Props) {
  if (deadEnds.length === 0) return null;
  return (
    <Section title="Dead ends">
      <RowsTable
        label="Dead ends"
        rows={deadEnds}
        keyOf={({ kind, name }) => `${kind} ${name}`}
        columns={shownAs(DEAD_END_COLUMNS, deadEnds, {
          Theme: ({ kind, name }) => (
            <>
              <span className="text-muted">{kind}</span> <span className="wrap-anywhere">{name}</span>
            </>
          ),
          Experiments: ({ experiments }) => <ToCells experiments={experiments} />,
        })}
      />
    </Section>
  );
}

export function Crashes({ debrief: { crashes } }: Props) {
  if (crashes.length === 0) return null;
  return (
    <Section title="Crashes">
      <RowsTable
        label="Crashes"
        rows={crashes}
        keyOf={group => group.class}
        columns={shownAs(CRASH_COLUMNS, crashes, {
          Experiments: ({ experiments }) => <ToCells experiments={experiments} />,
          'Newest message': ({ message }) => <span className="wrap-anywhere">{message}</span>,
        })}
      />
    </Section>
  );
}

/** The results of each version of the instructions, and of each note. */
export function Instructions({ debrief, path }: Props & { readonly path: string | null }) {
  const rows = askedRows(debrief, path ?? 'instructions');
  if (rows.length === 0) return null;
  const now = Date.now();
  return (
    <Section title="What you asked for, and what came of it">
      <RowsTable
        label="What you asked for, and what came of it"
        rows={rows}
        keyOf={({ title, at }) => `${title} ${at}`}
        columns={filledColumns(
          askedColumns(at => formatDayTime(at, now).replaceAll(' ', '\u00a0')),
          rows,
        )}
      />
    </Section>
  );
}

export function Resources({ debrief }: Props) {
  const rows = [...timeRows(debrief), ...resourceRows(debrief)];
  if (rows.length === 0) return null;
  return (
    <Section title="Time and cost">
      <dl className="grid max-w-lg grid-cols-[1fr_auto] gap-x-6 gap-y-1 text-sm">
        {rows.map(([what, value]) => (
          <div key={what} className="contents">
            <dt className="text-muted">{what}</dt>
            <dd className="tabular text-right">{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
