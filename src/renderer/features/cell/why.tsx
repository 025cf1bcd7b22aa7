import type { ExperimentDetail, RunView, StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, formatDelta } from '../../../shared/numbers.ts';
import type { ModelCall } from '../../../shared/proposers/model-calls.ts';
import { isBetter } from '../../../shared/study.ts';
import { tellCalls } from '../../format/call-words.ts';
import { classNames } from '../../ui/class-names.ts';
import { PathLine } from '../../ui/path-line.tsx';
import { AwaitedNumber } from './awaited-number.tsx';
import { Facts } from './facts.tsx';
import { Lineage } from './lineage.tsx';
import { NotesAndTags } from './notes-and-tags.tsx';
import { CrashReport, VerdictNotes } from './verdict-notes.tsx';

/** The first page of an opened cell: what was tried, why, and the result. */
export function Why({
  card,
  detail,
  run,
}: {
  readonly card: StudyCard;
  readonly detail: ExperimentDetail;
  readonly run: RunView | null;
}) {
  const { cell, rationale } = detail;
  return (
    <div className="grid gap-6 p-4 @2xl:grid-cols-[minmax(0,1fr)_18rem] @4xl:grid-cols-[minmax(0,56rem)_20rem]">
      <div className="flex min-w-0 flex-col gap-4">
        <section aria-label="Rationale">
          <h3 className="mb-1 break-words font-medium">{cell.hypothesis ?? 'No hypothesis yet'}</h3>
          {rationale === null && card.state === 'imported' ? null : (
            <p className="whitespace-pre-wrap break-words text-sm">
              {rationale ?? <span className="text-muted">The proposer gave no reason.</span>}
            </p>
          )}
        </section>
        {cell.whyWaiting === null ? null : <p className="break-words text-sm text-warn">{cell.whyWaiting}</p>}
        <AwaitedNumber card={card} detail={detail} />
        {run?.crash ? <CrashReport crash={run.crash} /> : null}
        <VerdictNotes detail={detail} run={run} metric={card.contract.metric.name} />
        <Effect card={card} detail={detail} />
        <Lineage detail={detail} metric={card.contract.metric.name} />
        {detail.files.length > 0 ? <Files files={detail.files} /> : null}
        {detail.refusals.length > 0 ? (
          <section aria-label="Refused proposals">
            <h4 className="mb-1 font-medium text-muted text-xs">Refused before this one</h4>
            <ul className="flex flex-col gap-1 text-sm">
              {detail.refusals.map(refusal => (
                <li key={`${refusal.at}${refusal.message}`} className="break-words">
                  {refusal.hypothesis ? `${refusal.hypothesis}: ` : ''}
                  <span className="text-muted">{refusal.message}</span>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        <ToldCalls calls={detail.calls} />
        <NotesAndTags study={card.id} detail={detail} />
      </div>
      <Facts card={card} detail={detail} run={run} />
    </div>
  );
}

/** Calls that went differently than asked: a model that declined, another model that answered, a server that failed. */
function ToldCalls({ calls }: { readonly calls: readonly ModelCall[] }) {
  const told = tellCalls(calls);
  if (told.length === 0) return null;
  return (
    <section aria-label="What the calls said">
      <h4 className="mb-1 font-medium text-muted text-xs">What its calls to a model said</h4>
      <ul className="flex flex-col gap-1 text-sm">
        {told.map(({ text, count }) => (
          <li key={text} className="break-words">
            {text}
            {count > 1 ? <span className="text-muted"> · {count} times</span> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The prediction beside the measurement. */
function Effect({ card, detail }: { readonly card: StudyCard; readonly detail: ExperimentDetail }) {
  const { cell, incumbent } = detail;
  if (cell.predictedEffect === null && cell.delta === null) return null;
  const scale = Math.max(Math.abs(cell.predictedEffect ?? 0), Math.abs(cell.delta ?? 0)) || 1;
  const bar = (label: string, value: number | null) => (
    <div className="grid grid-cols-[4.5rem_minmax(0,1fr)_5.5rem] items-center gap-2 text-sm">
      <span className="text-muted">{label}</span>
      <span className="relative h-2 rounded-full bg-sunken" aria-hidden>
        <span
          className={classNames(
            'absolute inset-y-0 rounded-full',
            value !== null && isBetter(card.contract.metric.goal, value, 0) ? 'bg-keep' : 'bg-line-strong',
          )}
          style={{
            left: value !== null && value < 0 ? `${50 - (50 * -value) / scale}%` : '50%',
            width: `${value === null ? 0 : (50 * Math.abs(value)) / scale}%`,
          }}
        />
        <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong" />
      </span>
      <span className="tabular text-right">{value === null ? ABSENT : formatDelta(value)}</span>
    </div>
  );
  return (
    <section aria-label="Predicted and actual effect" className="flex max-w-lg flex-col gap-1">
      <h4 className="mb-0.5 font-medium text-muted text-xs">
        Effect on {card.contract.metric.name}
        {incumbent === null ? '' : `, against #${incumbent}`}
      </h4>
      {bar('Predicted', cell.predictedEffect)}
      {bar('Actual', cell.delta)}
    </section>
  );
}

function Files({ files }: { readonly files: ExperimentDetail['files'] }) {
  return (
    <section aria-label="Changed files">
      <h4 className="mb-1 font-medium text-muted text-xs">Changed files</h4>
      <ul className="text-sm">
        {files.map(file => (
          <li key={file.path} className="flex gap-3">
            <span className="flex min-w-0 font-mono text-xs leading-6" title={file.path}>
              <PathLine path={file.path} />
            </span>
            {file.added === null ? (
              <span className="text-muted">binary</span>
            ) : (
              <span className="tabular">
                <span className="text-keep">+{file.added}</span>{' '}
                <span className="text-crash">−{file.removed}</span>
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
