import { Fragment, useState } from 'react';
import type { Ancestor, ExperimentDetail } from '../../../shared/notebook.ts';
import { formatMetric } from '../../../shared/numbers.ts';
import { jumpTo } from '../../app/actions.ts';
import { classNames } from '../../ui/class-names.ts';

/** Of a longer line, only the ends are shown. */
const MOST_SHOWN = 12;
const FIRST_SHOWN = 2;

const STANDING_WORDS: Readonly<Record<Ancestor['standing'], string>> = {
  ...{ kept: '', left: 'not kept, another line', taken_back: 'taken back since' },
};

/** The ancestors of an experiment: the baseline first, the experiment itself last. */
export function Lineage({
  detail: { cell, lineage },
  metric,
}: {
  readonly detail: ExperimentDetail;
  readonly metric: string;
}) {
  const [isWhole, setWhole] = useState(false);
  if (lineage.length === 0) return null;
  const isCut = !isWhole && lineage.length > MOST_SHOWN;
  const left = isCut ? lineage.slice(FIRST_SHOWN, FIRST_SHOWN - MOST_SHOWN) : [];
  const link = (ancestor: Ancestor) => <AncestorLink ancestor={ancestor} metric={metric} />;
  return (
    <section aria-label="Lineage">
      <h4 className="mb-1 font-medium text-muted text-xs">Built on</h4>
      <ol className="-ml-1 flex flex-wrap items-center gap-x-1 text-sm">
        {lineage.map((ancestor, place) => {
          if (left.includes(ancestor) && place > FIRST_SHOWN) return null;
          return (
            <Fragment key={ancestor.n}>
              <li>
                {left.includes(ancestor) ? (
                  <button
                    type="button"
                    className="rounded px-1 text-muted hover:bg-sunken hover:text-ink"
                    onClick={() => setWhole(true)}
                  >
                    {left.length} more
                  </button>
                ) : (
                  link(ancestor)
                )}
              </li>
              <li aria-hidden className="text-faint">
                →
              </li>
            </Fragment>
          );
        })}
        <li className="tabular px-1 font-medium" aria-current="true">
          #{cell.n}
        </li>
      </ol>
    </section>
  );
}

function AncestorLink({
  ancestor: { n, hypothesis, metric: value, standing },
  metric,
}: {
  readonly ancestor: Ancestor;
  readonly metric: string;
}) {
  const words = [hypothesis, `${metric} ${formatMetric(value)}`, STANDING_WORDS[standing]];
  return (
    <button
      type="button"
      title={words.filter(Boolean).join('\n')}
      onClick={() => jumpTo(n)}
      className={classNames(
        'tabular rounded px-1 underline-offset-2 hover:underline',
        { kept: 'text-accent', left: 'text-muted', taken_back: 'text-warn line-through' }[standing],
      )}
    >
      #{n}
    </button>
  );
}
