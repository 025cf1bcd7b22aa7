import { RotateCcw } from 'lucide-react';
import { useState } from 'react';
import type { Cell, RunView, StudyCard } from '../../../shared/notebook.ts';
import { RUN_WORDS } from '../../../shared/repeats.ts';
import { showOverlay } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { TabList, tabId } from '../../ui/tab-list.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { RunCurves } from './run-curves.tsx';
import { RunLog } from './run-log.tsx';
import { Why } from './why.tsx';

const PARTS = ['why', 'diff', 'curves', 'log'] as const;
const PART_NAMES = { why: 'Reason and result', diff: 'Diff', curves: 'Curves', log: 'Log' } as const;

const ELSEWHERE = 'This experiment was run elsewhere.';

/** An opened cell: everything the ledger has of an experiment. */
export function CellDetails({ card, cell }: { readonly card: StudyCard; readonly cell: Cell }) {
  const [part, setPart] = useState<(typeof PARTS)[number]>('why');
  // Asked again when the cell has moved on.
  const version = [
    ...[cell.phase, cell.endedAt, cell.notes, cell.commit],
    ...[cell.record?.runs, cell.verdict?.reason, cell.trainedSeconds],
  ].join(' ');
  const subject = `experiment ${card.id} ${cell.n}`;
  const { value: detail, problem } = useCall(
    `${subject} ${version}`,
    () => getClient().experiments.get({ study: card.id, n: cell.n }),
    subject,
  );
  const [chosen, setChosen] = useState<number | null>(null);
  const runs = detail?.runs ?? [];
  // The one that decided, until another is chosen.
  const run = runs.find(({ k }) => k === (chosen ?? detail?.evidence?.run)) ?? runs.at(-1) ?? null;
  const panel = `details-${cell.n}`;
  return (
    <div className="mx-4 mb-4 ml-9 min-h-80 overflow-hidden rounded-lg border border-line bg-surface">
      <h2 className="sr-only">Experiment {cell.n}</h2>
      <div className="flex items-center justify-between border-line border-b px-2">
        <TabList
          label={`Experiment ${cell.n}`}
          names={PARTS}
          titles={PART_NAMES}
          chosen={part}
          panel={panel}
          onChoose={setPart}
          isSmall
        />
        <span className="flex items-center gap-2">
          {runs.length > 1 ? (
            <select
              aria-label="Run"
              value={run?.k ?? 0}
              onChange={event => setChosen(Number(event.target.value))}
              className="h-7 rounded-md border border-line-strong bg-surface px-2 text-xs"
            >
              {runs.map(({ k, purpose }) => (
                <option key={k} value={k}>
                  Run {k + 1} of {runs.length}
                  {purpose === null ? '' : `: ${RUN_WORDS[purpose]}`}
                </option>
              ))}
            </select>
          ) : null}
          {cell.n > 0 && cell.commit !== null && card.state !== 'imported' ? (
            <Button size="small" onClick={() => showOverlay({ name: 'queue', again: cell.n })}>
              <RotateCcw size={13} aria-hidden /> Try again …
            </Button>
          ) : null}
        </span>
      </div>
      <div id={panel} role="tabpanel" aria-labelledby={tabId(panel, part)}>
        {problem ? <p className="p-4 text-crash text-sm">{problem}</p> : null}
        {!detail && !problem ? (
          <p className="p-4 text-muted text-sm" role="status">
            Reading …
          </p>
        ) : null}
        {detail && part === 'why' ? <Why card={card} detail={detail} run={run} /> : null}
        {detail && part === 'diff' ? <Diff card={card} cell={cell} /> : null}
        {detail && part === 'curves' ? <RunCurves card={card} detail={detail} run={run} /> : null}
        {detail && part === 'log' ? <Log card={card} cell={cell} run={run} /> : null}
      </div>
    </div>
  );
}

function Log({
  card,
  cell,
  run,
}: {
  readonly card: StudyCard;
  readonly cell: Cell;
  readonly run: RunView | null;
}) {
  if (card.state === 'imported')
    return <p className="p-4 text-muted text-sm">{ELSEWHERE} It has no log here.</p>;
  if (!run) return <p className="p-4 text-muted text-sm">Nothing has run yet, so there is no log.</p>;
  return (
    <div className="h-[min(24rem,45vh)]">
      <RunLog key={run.k} study={card.id} n={cell.n} run={run} />
    </div>
  );
}

function Diff({ card, cell }: { readonly card: StudyCard; readonly cell: Cell }) {
  const mode = useStore(state => state.settings.diff);
  const isHere = cell.commit !== null && card.state !== 'imported';
  const { value, problem } = useCall(isHere ? `diff ${card.id} ${cell.n} ${cell.commit}` : null, () =>
    getClient().experiments.diff({ study: card.id, n: cell.n }),
  );
  if (card.state === 'imported')
    return <p className="p-4 text-muted text-sm">{ELSEWHERE} It has no diff here.</p>;
  if (!cell.commit)
    return <p className="p-4 text-muted text-sm">There is no commit yet, so there is no diff.</p>;
  if (problem) return <p className="p-4 text-crash text-sm">{problem}</p>;
  if (!value) {
    return (
      <p className="p-4 text-muted text-sm" role="status">
        Reading …
      </p>
    );
  }
  return (
    <div className="max-h-[32rem] overflow-y-auto">
      <LazyDiffView
        diff={value.diff}
        isCut={value.isCut}
        mode={mode}
        onMode={diff => void saveSettings({ diff })}
        label={`Changes of experiment ${cell.n}`}
      />
    </div>
  );
}
