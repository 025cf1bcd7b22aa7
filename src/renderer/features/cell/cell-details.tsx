import { RotateCcw } from 'lucide-react';
import { useState } from 'react';
import type { Cell, RunView, StudyCard } from '../../../shared/notebook.ts';
import { RUN_WORDS } from '../../../shared/verdicts/repeats.ts';
import { showOverlay } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { Select } from '../../ui/select.tsx';
import { TabList, TabPanel, Tabs } from '../../ui/tabs.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { ExperimentMenu } from './experiment-menu.tsx';
import { RunCurves } from './run-curves.tsx';
import { RunLog } from './run-log.tsx';
import { Why } from './why.tsx';

const PARTS = ['why', 'diff', 'curves', 'log'] as const;
const PART_NAMES = { why: 'Reason and result', diff: 'Diff', curves: 'Curves', log: 'Log' } as const;

const ELSEWHERE = 'This experiment was run elsewhere.';

/** An opened cell: everything the ledger has about an experiment. */
export function CellDetails({ card, cell }: { readonly card: StudyCard; readonly cell: Cell }) {
  const [part, setPart] = useState<(typeof PARTS)[number]>('why');
  // Read again when the cell has changed.
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
  // The deciding run, until the user chooses another.
  const run = runs.find(({ k }) => k === (chosen ?? detail?.evidence?.run)) ?? runs.at(-1) ?? null;
  return (
    <Tabs
      names={PARTS}
      chosen={part}
      onChoose={setPart}
      className="mx-4 mb-4 ml-9 min-h-80 overflow-hidden rounded-lg border border-line bg-surface"
    >
      <h2 className="sr-only">Experiment {cell.n}</h2>
      <div className="flex items-center justify-between border-line border-b px-2">
        <TabList label={`Experiment ${cell.n}`} names={PARTS} titles={PART_NAMES} isSmall />
        <span className="flex items-center gap-2">
          {runs.length > 1 ? (
            <Select
              aria-label="Run"
              value={run?.k ?? 0}
              options={runs.map(({ k, purpose }) => ({
                value: k,
                label: `Run ${k + 1} of ${runs.length}${purpose === null ? '' : `: ${RUN_WORDS[purpose]}`}`,
              }))}
              onChange={setChosen}
              className="h-7 px-2 text-xs"
            />
          ) : null}
          {cell.n > 0 && cell.commit !== null && card.state !== 'imported' ? (
            <Button size="small" onClick={() => showOverlay({ name: 'queue', again: cell.n })}>
              <RotateCcw size={13} aria-hidden /> Try again …
            </Button>
          ) : null}
          <ExperimentMenu n={cell.n} />
        </span>
      </div>
      {PARTS.map(name => (
        <TabPanel key={name} name={name}>
          {problem ? <p className="p-4 text-crash text-sm">{problem}</p> : null}
          {!detail && !problem ? <Loading>Reading …</Loading> : null}
          {detail && name === 'why' ? <Why card={card} detail={detail} run={run} /> : null}
          {detail && name === 'diff' ? <Diff card={card} cell={cell} /> : null}
          {detail && name === 'curves' ? <RunCurves card={card} detail={detail} run={run} /> : null}
          {detail && name === 'log' ? <Log card={card} cell={cell} run={run} /> : null}
        </TabPanel>
      ))}
    </Tabs>
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
  if (!value) return <Loading>Reading …</Loading>;
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
