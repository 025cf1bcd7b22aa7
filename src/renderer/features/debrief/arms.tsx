import { useState } from 'react';
import type { Arm, Debrief } from '../../../shared/debrief/debrief.ts';
import { ARM_INTERVALS, armColumns, filledColumns } from '../../../shared/debrief/debrief-columns.ts';
import { describeFailures } from '../../../shared/debrief/describe-debrief.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { RowsTable, Section } from './section.tsx';

/** The proposers side by side: in this study, or in the whole repository. */
export function Arms({ debrief, card }: { readonly debrief: Debrief; readonly card: StudyCard }) {
  const [isOfAll, setOfAll] = useState(false);
  const { name, goal } = debrief.study.metric;
  const hasOthers = useStore(state =>
    state.studies.some(({ id, gitDir, importedFrom, contract: { metric } }) => {
      const isSame = gitDir === card.gitDir && metric.name === name && metric.goal === goal;
      return id !== card.id && importedFrom === null && isSame;
    }),
  );
  const { value, problem } = useCall(isOfAll ? `arms ${card.id} ${card.tally.finished}` : null, () =>
    getClient().studies.arms({ study: card.id }),
  );
  const arms = isOfAll ? value?.arms : debrief.arms;
  if (debrief.arms.length === 0 && !hasOthers) return null;
  return (
    <Section title="Who proposed">
      {hasOthers && card.importedFrom === null ? (
        <p className="mb-2">
          <Button size="small" onClick={() => setOfAll(before => !before)}>
            {isOfAll ? 'Only in this study' : 'In all studies of this repository'}
          </Button>
        </p>
      ) : null}
      {arms ? (
        <ArmsTable arms={arms} metric={name} />
      ) : (
        <Loading className="">{problem ?? 'Reading …'}</Loading>
      )}
      <p className="mt-1 text-muted text-xs">
        {ARM_INTERVALS}
        {isOfAll && value ? ` In ${value.studies.join(', ')}; they may have begun at different commits.` : ''}
      </p>
    </Section>
  );
}

function ArmsTable({ arms, metric }: { readonly arms: readonly Arm[]; readonly metric: string }) {
  return (
    <RowsTable
      label="Who proposed"
      rows={arms}
      keyOf={({ proposer }) => proposer}
      columns={[
        {
          name: 'Proposer',
          cell: arm => {
            const failures = describeFailures(arm);
            return (
              <>
                {arm.proposer}
                {failures ? <p className="wrap-anywhere mt-0.5 text-muted text-xs">{failures}</p> : null}
              </>
            );
          },
        },
        // Intervals are long, so they wrap, which other numbers do not.
        ...filledColumns(armColumns(metric), arms).map(column => ({
          ...column,
          cell: (arm: Arm) => <span className="whitespace-normal">{column.cell(arm)}</span>,
        })),
      ]}
    />
  );
}
