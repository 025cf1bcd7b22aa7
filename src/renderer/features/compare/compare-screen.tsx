import { GitCompareArrows, X } from 'lucide-react';
import { useState } from 'react';
import {
  type Cell,
  type ExperimentDetail,
  MOST_COMPARED,
  type SeriesView,
  type StudyCard,
} from '../../../shared/notebook.ts';
import { ABSENT, formatDelta, formatDuration, formatMetric, formatNumber } from '../../../shared/numbers.ts';
import { setCompared, toggleCompared } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { useCurves } from '../../app/use-curves.ts';
import { CurveTools } from '../../charts/curve-tools.tsx';
import { AXIS_LABELS, askedAxis } from '../../charts/series-axis.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { lineColour, placedBy, seriesLine } from '../../charts/series-lines-of.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Select } from '../../ui/select.tsx';
import { VerdictBadge } from '../../ui/verdict-badge.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { Differences } from './differences.tsx';

/** Experiments side by side: their curves, numbers and differences, and the code of two of them. */
export function CompareScreen({ card }: { readonly card: StudyCard }) {
  const compared = useStore(state => state.view.compared);
  const cells = useStore(state => state.notebook?.cells);
  const chosen = compared.flatMap(n => {
    const cell = cells?.[n];
    return cell ? [cell] : [];
  });
  const { bestExperiment } = card.tally;
  if (chosen.length < 2) {
    return (
      <EmptyState icon={<GitCompareArrows size={28} />} title="Choose two or more experiments">
        <p className="mb-3">
          In the notebook, select one and press c, or use the button that appears on its row.
          {chosen.length === 1 ? ` #${chosen[0]?.n} is chosen.` : ''}
        </p>
        {bestExperiment !== null && bestExperiment !== 0 ? (
          <Button onClick={() => setCompared([0, bestExperiment])}>Compare the baseline with the best</Button>
        ) : null}
      </EmptyState>
    );
  }
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-6 py-4">
      <Comparison card={card} cells={chosen} />
    </div>
  );
}

function Comparison({ card, cells }: { readonly card: StudyCard; readonly cells: readonly Cell[] }) {
  const study = card.id;
  const shown = cells.slice(0, MOST_COMPARED);
  const subject = JSON.stringify(['compared', study, shown.map(({ n }) => n)]);
  // Read again when one of them has changed.
  const versions = shown.map(({ phase, endedAt, commit, record }) => [phase, endedAt, commit, record?.runs]);
  const { value: details, problem } = useCall(
    subject + JSON.stringify(versions),
    () => Promise.all(shown.map(({ n }) => getClient().experiments.get({ study, n }))),
    subject,
  );
  return (
    <div className="flex flex-col gap-6">
      {cells.length > MOST_COMPARED ? (
        <p className="text-muted text-xs">
          Curves and values of the first {MOST_COMPARED} of {cells.length} are shown.
        </p>
      ) : null}
      {problem ? <p className="text-crash text-sm">{problem}</p> : null}
      <Curves card={card} cells={shown} details={details ?? []} />
      <Table card={card} cells={cells} />
      {details ? <Differences card={card} details={details} /> : null}
      <DiffBetween card={card} cells={cells} />
    </div>
  );
}

function Curves({
  card,
  cells,
  details,
}: {
  readonly card: StudyCard;
  readonly cells: readonly Cell[];
  readonly details: readonly ExperimentDetail[];
}) {
  const [name, setName] = useState('');
  const [width, setWidth] = useState(900);
  const ns = cells.map(cell => cell.n);
  const runs = details.map(({ runs: all }) => all.at(-1));
  const study = card.id;
  const { by, smoothing, scales, tools } = useCurves(
    'compare',
    runs.some(run => run?.hasTokens),
  );
  const subject = JSON.stringify(['compare', study, ns, askedAxis(by), name, smoothing]);
  const { value, problem } = useCall(
    `${subject} ${width}`,
    () =>
      getClient().experiments.series({
        study,
        runs: ns.map(n => ({ n })),
        ...(name === '' ? {} : { names: [name] }),
        source: 'training',
        by: askedAxis(by),
        ...{ width, smoothing },
      }),
    subject,
  );
  return (
    <section aria-label="Curves" className="rounded-lg border border-line bg-surface p-4">
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="flex-1 font-medium">Curves</h2>
        <Select
          aria-label="Series"
          value={name}
          options={[
            { value: '', label: 'main series' },
            ...(runs[0]?.series ?? []).map(series => ({ value: series.name, label: series.name })),
          ]}
          onChange={setName}
          className="h-7 px-2 text-sm"
        />
        <CurveTools {...tools} />
      </div>
      {problem ? <p className="text-crash text-sm">{problem}</p> : null}
      <SeriesChart
        lines={(value ?? []).map((view: SeriesView) =>
          seriesLine(placedBy(view, by), `#${view.n} ${view.name}`, ns.indexOf(view.n)),
        )}
        xLabel={AXIS_LABELS[by]}
        height={300}
        {...scales}
        label={`Curves of experiments ${ns.join(', ')}`}
        onWidth={setWidth}
      />
    </section>
  );
}

function Table({ card, cells }: { readonly card: StudyCard; readonly cells: readonly Cell[] }) {
  const { metric } = card.contract;
  const [first] = cells;
  return (
    <section
      aria-label="Numbers"
      className="@container overflow-x-auto rounded-lg border border-line bg-surface"
    >
      <table className="w-full text-sm">
        <thead>
          <tr className="border-line border-b text-left text-muted text-xs">
            <th className="px-4 py-2 font-medium" scope="col">
              Experiment
            </th>
            <th className="px-3 py-2 font-medium" scope="col">
              Verdict
            </th>
            <th className="px-3 py-2 text-right font-medium" scope="col">
              {metric.name}
            </th>
            <th className="px-3 py-2 text-right font-medium" scope="col">
              to #{first?.n}
            </th>
            <th className="px-3 py-2 text-right font-medium" scope="col">
              {metric.memory ?? 'memory'}
            </th>
            <th className="px-3 py-2 text-right font-medium @max-3xl:hidden" scope="col">
              trained
            </th>
            <th className="px-3 py-2 font-medium" scope="col">
              <span className="sr-only">Remove</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {cells.map((cell, place) => (
            <tr key={cell.n} className="border-line border-b last:border-b-0">
              <th scope="row" className="max-w-0 px-4 py-2 text-left font-normal" style={{ width: '45%' }}>
                <span className="flex items-center gap-2">
                  <span
                    aria-hidden
                    className="size-2.5 shrink-0 rounded-full"
                    style={{ background: place < MOST_COMPARED ? lineColour(place) : 'transparent' }}
                  />
                  <span className="tabular shrink-0 text-muted">#{cell.n}</span>
                  <span className="line-clamp-3 min-w-0 break-words" title={cell.hypothesis ?? undefined}>
                    {cell.hypothesis}
                  </span>
                </span>
              </th>
              <td className="px-3 py-2">
                <span className="flex">
                  <VerdictBadge word={cell.verdict?.word ?? null} phase={cell.phase} />
                </span>
              </td>
              <td className="tabular px-3 py-2 text-right">{formatMetric(cell.metric)}</td>
              <td className="tabular px-3 py-2 text-right text-muted">
                {place === 0 || cell.metric === null || first?.metric === null || first === undefined
                  ? ABSENT
                  : formatDelta(cell.metric - first.metric)}
              </td>
              <td className="tabular px-3 py-2 text-right">{formatNumber(cell.memory)}</td>
              <td className="tabular px-3 py-2 text-right @max-3xl:hidden">
                {formatDuration(cell.trainedSeconds)}
              </td>
              <td className="px-2 py-1 text-right">
                <IconButton label={`Take #${cell.n} out`} onClick={() => toggleCompared(cell.n)}>
                  <X size={14} aria-hidden />
                </IconButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function DiffBetween({ card, cells }: { readonly card: StudyCard; readonly cells: readonly Cell[] }) {
  const [pair, setPair] = useState<readonly [number, number] | null>(null);
  const mode = useStore(state => state.settings.diff);
  const numbers = cells.map(cell => cell.n);
  const [a = 0, b = 0] =
    pair?.every(n => numbers.includes(n)) === true ? pair : [numbers[0] ?? 0, numbers.at(-1) ?? 0];
  const study = card.id;
  const { value, problem } = useCall(a === b ? null : JSON.stringify(['between', study, a, b]), () =>
    getClient().experiments.diff({ study, n: b, against: a }),
  );
  const choose = (label: string, chosen: number, onChoose: (n: number) => void) => (
    <Select
      aria-label={label}
      value={chosen}
      options={numbers.map(n => ({ value: n, label: `#${n}` }))}
      onChange={onChoose}
      className="h-7 px-2 text-sm"
    />
  );
  return (
    <section
      aria-label="Difference between two"
      className="overflow-hidden rounded-lg border border-line bg-surface"
    >
      <div className="flex items-center gap-2 border-line border-b px-4 py-2">
        <h2 className="mr-auto font-medium">Difference</h2>
        <span className="text-muted text-sm">from</span>
        {choose('From', a, n => setPair([n, b]))}
        <span className="text-muted text-sm">to</span>
        {choose('To', b, n => setPair([a, n]))}
      </div>
      {problem ? <p className="p-4 text-crash text-sm">{problem}</p> : null}
      {a === b ? (
        <p className="p-4 text-muted text-sm">Choose two different experiments to see what differs.</p>
      ) : value && value.diff === '' ? (
        <p className="p-4 text-muted text-sm">The editable files of the two are the same.</p>
      ) : value ? (
        <LazyDiffView
          diff={value.diff}
          isCut={value.isCut}
          mode={mode}
          onMode={diff => void saveSettings({ diff })}
          label={`Difference from experiment ${a} to ${b}`}
        />
      ) : null}
    </section>
  );
}
