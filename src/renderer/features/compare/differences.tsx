import { Check } from 'lucide-react';
import type { ExperimentDetail, StudyCard } from '../../../shared/notebook.ts';
import { ABSENT } from '../../../shared/numbers.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { lineColour } from '../../charts/series-lines-of.ts';
import { classNames } from '../../ui/class-names.ts';
import { type DifferingRow, differingCosts, differingSummary } from './differing-values.ts';

type Group = { readonly title: string; readonly rows: readonly DifferingRow[] };

/** What differs between the compared experiments: constants, costs, and values printed at the end. */
export function Differences({
  card,
  details,
}: {
  readonly card: StudyCard;
  readonly details: readonly ExperimentDetail[];
}) {
  const study = card.id;
  const ns = details.map(({ cell }) => cell.n);
  const commits = details.map(({ cell }) => cell.commit);
  const isImported = card.state === 'imported';
  const { value, problem } = useCall(
    isImported ? null : JSON.stringify(['constants', study, ns, commits]),
    () => getClient().experiments.constants({ study, ns }),
  );
  const hasFiles = new Set(value?.map(({ file }) => file)).size > 1;
  const constants = (value ?? []).map(({ file, name, values }) => ({
    ...{ name: hasFiles ? `${name} (${file})` : name, values, best: [] },
  }));
  const groups: readonly Group[] = [
    { title: 'Constants', rows: constants },
    { title: 'Time, memory, energy', rows: differingCosts(card, details) },
    { title: 'What the training printed at its end', rows: differingSummary(card, details) },
  ].filter(({ rows }) => rows.length > 0);
  return (
    <section aria-label="What differs" className="overflow-hidden rounded-lg border border-line bg-surface">
      <div className="flex items-baseline gap-3 border-line border-b px-4 py-2">
        <h2 className="font-medium">What differs</h2>
        {groups.some(({ rows }) => rows.some(({ best }) => best.length > 0)) ? (
          <p className="flex items-center gap-1 text-muted text-xs">
            <Check size={12} aria-hidden className="text-keep" /> the better value, where its name tells which
            that is
          </p>
        ) : null}
      </div>
      {problem ? <p className="px-4 py-2 text-crash text-sm">{problem}</p> : null}
      {groups.length === 0 ? (
        <p className="p-4 text-muted text-sm">
          {value || isImported || problem
            ? 'As far as was measured, only the number and the code differ.'
            : 'Reading …'}
        </p>
      ) : (
        <div
          className="-outline-offset-2 overflow-x-auto"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, by keys too.
          tabIndex={0}
          role="group"
          aria-label="Values that differ"
        >
          <table className="w-full text-sm">
            <thead>
              <tr className="border-line border-b text-left text-muted text-xs">
                <th className="px-4 py-1.5 font-medium" scope="col">
                  Value
                </th>
                {ns.map((n, place) => (
                  <th key={n} className="py-1.5 pr-3 pl-8 text-right font-medium" scope="col">
                    <span className="inline-flex items-center gap-1.5">
                      <span
                        aria-hidden
                        className="size-2.5 rounded-full"
                        style={{ background: lineColour(place) }}
                      />
                      #{n}
                    </span>
                  </th>
                ))}
                <Rest />
              </tr>
            </thead>
            {groups.map(group => (
              <GroupRows key={group.title} group={group} ns={ns} />
            ))}
          </table>
        </div>
      )}
    </section>
  );
}

function GroupRows({ group, ns }: { readonly group: Group; readonly ns: readonly number[] }) {
  return (
    <tbody>
      <tr className="bg-sunken text-muted text-xs">
        <th scope="rowgroup" colSpan={ns.length + 2} className="px-4 py-1 text-left font-medium">
          {group.title}
        </th>
      </tr>
      {group.rows.map(({ name, values, best }) => (
        <tr key={name} className="border-line border-b last:border-b-0">
          <th scope="row" className="max-w-96 truncate px-4 py-1 text-left font-normal" title={name}>
            {name}
          </th>
          {ns.map((n, place) => {
            const value = values[place] ?? null;
            const isBest = best.includes(place);
            return (
              <td
                key={n}
                title={value ?? undefined}
                className={classNames(
                  'tabular max-w-48 truncate py-1 pr-3 pl-8 text-right',
                  isBest && 'font-medium text-keep',
                  place > 0 && value === values[0] && 'text-muted',
                )}
              >
                {isBest ? (
                  <>
                    <Check size={12} aria-hidden className="mr-1 inline" />
                    <span className="sr-only">better: </span>
                  </>
                ) : null}
                {value ?? ABSENT}
              </td>
            );
          })}
          <Rest />
        </tr>
      ))}
    </tbody>
  );
}

/** Takes the remaining width, so that values are next to their names. */
function Rest() {
  return <td aria-hidden className="w-full" />;
}
