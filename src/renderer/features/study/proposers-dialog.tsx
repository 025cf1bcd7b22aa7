import { useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { ABSENT, formatDuration, formatPercent, formatUsd } from '../../../shared/numbers.ts';
import type { ProposerRecord } from '../../../shared/proposers/proposer-calls.ts';
import { keepRate } from '../../../shared/tried.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SelectField } from '../../ui/select.tsx';

/** How well each proposer works: calls, failures, results, cost. */
export function ProposersDialog({
  card,
  onClose,
}: {
  readonly card: StudyCard | null;
  readonly onClose: () => void;
}) {
  const [isOverAll, setIsOverAll] = useState(card === null);
  const study = isOverAll ? null : (card?.id ?? null);
  const { value, problem } = useCall(`proposers ${study} ${card?.tally.finished}`, () =>
    getClient().proposers.records({ study }),
  );
  return (
    <Dialog
      title="Proposers"
      description="Each proposer's calls, results and cost. Its gain adds up its kept experiments, in percent of the baseline: all proposers together made the gain in the study's header. The baseline counts for no proposer."
      onClose={onClose}
      isWide
    >
      <SelectField
        label="Of"
        value={isOverAll ? 'all' : 'study'}
        options={[
          ...(card ? [{ value: 'study', label: card.tag }] : []),
          { value: 'all', label: 'all studies' },
        ]}
        onChange={chosen => setIsOverAll(chosen === 'all')}
      />
      {value ? (
        value.length === 0 ? (
          <p className="py-8 text-center text-muted text-sm">No proposer has been asked yet.</p>
        ) : (
          <ul className="mt-4 flex flex-col gap-3">
            {value.map(record => (
              <Record key={record.proposer} record={record} />
            ))}
          </ul>
        )
      ) : (
        <Loading className="py-8 text-center">{problem ?? 'Reading …'}</Loading>
      )}
    </Dialog>
  );
}

function Record({ record }: { readonly record: ProposerRecord }) {
  const { calls, proposed, experiments, keep, costUsd, gainShare, restsUntil } = record;
  const facts: readonly (readonly [string, string])[] = [
    ['calls', `${calls}, ${formatPercent(calls === 0 ? null : proposed / calls, 0)} led to a proposal`],
    ['a call takes', formatDuration(calls === 0 ? null : record.seconds / calls)],
    ['experiments', `${experiments}: ${keep} kept, ${record.discard} discarded, ${record.crash} crashed`],
    ['keep rate', formatPercent(keepRate(record), 1)],
    ['gain', formatPercent(gainShare, 2)],
    ['cost', costUsd === null ? ABSENT : formatUsd(costUsd)],
    ['cost per keep', costUsd === null || keep === 0 ? ABSENT : formatUsd(costUsd / keep)],
  ];
  return (
    <li className="rounded-lg border border-line p-4">
      <h3 className="flex items-baseline justify-between gap-4 font-medium">
        <span className="break-all">{record.proposer}</span>
        {restsUntil !== null && restsUntil > Date.now() ? (
          <span className="shrink-0 text-sm text-warn">
            rests, asked again <RelativeTime at={restsUntil} />
          </span>
        ) : null}
      </h3>
      <dl className="mt-2 grid grid-cols-[auto_minmax(0,1fr)_auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 text-sm">
        {facts.map(([name, text]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="tabular">{text}</dd>
          </div>
        ))}
      </dl>
      {record.failures.length > 0 ? (
        <ul className="mt-2 flex flex-col gap-1 border-line border-t pt-2 text-sm">
          {record.failures.map(({ outcome, count, last }) => (
            <li key={outcome} className="flex gap-2">
              <span className="tabular shrink-0 text-crash">
                {count} × {outcome}
              </span>
              <span className="truncate text-muted" title={last}>
                {last}
              </span>
            </li>
          ))}
        </ul>
      ) : null}
    </li>
  );
}
