import { useState } from 'react';
import type { ExperimentDetail, RunView, SeriesView, StudyCard } from '../../../shared/notebook.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { useCurves } from '../../app/use-curves.ts';
import { CurveTools } from '../../charts/curve-tools.tsx';
import { AXIS_LABELS, askedAxis, isTime, type SeriesAxis } from '../../charts/series-axis.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { placedBy, seriesLine } from '../../charts/series-lines-of.ts';
import { Loading } from '../../ui/lazy-view.tsx';
import { Select } from '../../ui/select.tsx';
import { MachineCharts } from './machine-charts.tsx';

const HEIGHT = 220;

/** A run's curves in front of the incumbent's, and the machine's load. */
export function RunCurves({
  card,
  detail,
  run,
}: {
  readonly card: StudyCard;
  readonly detail: ExperimentDetail;
  readonly run: RunView | null;
}) {
  const [name, setName] = useState<string | null>(null);
  const { by, smoothing, scales, tools } = useCurves('cell', run?.hasTokens ?? false);
  const [width, setWidth] = useState(600);
  const { n } = detail.cell;
  const isImported = card.state === 'imported';
  const { incumbent } = detail;
  const names = run?.series.map(series => series.name) ?? [];
  const shown = name !== null && names.includes(name) ? name : (names[0] ?? null);
  // At another width it is the same curve, so the old one stays until the new one arrives.
  const subject = JSON.stringify(['series', card.id, n, run?.k, shown, askedAxis(by), smoothing]);
  const { value, problem } = useCall(
    run && shown !== null ? `${subject} ${run.outcome} ${incumbent} ${width}` : null,
    () =>
      getClient().experiments.series({
        study: card.id,
        runs: [{ n, k: run?.k ?? 0 }, ...(incumbent === null || incumbent === n ? [] : [{ n: incumbent }])],
        names: [shown ?? ''],
        source: 'training',
        by: askedAxis(by),
        ...{ width, smoothing },
      }),
    subject,
  );
  const machine = JSON.stringify(['machine', card.id, n, run?.k]);
  const telemetry = useCall(
    run && run.telemetry.length > 0 ? `${machine} ${run.outcome} ${width}` : null,
    () =>
      getClient().experiments.series({
        study: card.id,
        runs: [{ n, k: run?.k ?? 0 }],
        source: 'telemetry',
        by: 'seconds',
        width: Math.max(100, Math.round(width / 2)),
      }),
    machine,
  );
  if (!run || shown === null) {
    return (
      <p className="p-4 text-muted text-sm">
        {isImported
          ? 'This experiment was run elsewhere. No curve came with it.'
          : 'The training printed no progress, so there is no curve.'}
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Select
          aria-label="Series"
          value={shown}
          options={names.map(option => ({ value: option, label: option }))}
          onChange={setName}
          className="h-7 px-2 text-sm"
        />
        <CurveTools {...tools} />
      </div>
      {problem ? <p className="text-crash text-sm">{problem}</p> : null}
      <SeriesChart
        lines={linesOf(value ?? [], n, by)}
        xLabel={AXIS_LABELS[by]}
        unit={run.series.find(series => series.name === shown)?.unit ?? null}
        height={HEIGHT}
        label={`${shown} of experiment ${n}`}
        budgetX={isTime(by) && !isImported ? card.contract.budget.seconds : null}
        {...scales}
        onWidth={setWidth}
      />
      {isImported ? null : run.telemetry.length === 0 ? (
        <p className="text-muted text-sm">The machine was not sampled during this run.</p>
      ) : telemetry.value ? (
        <MachineCharts series={telemetry.value} />
      ) : (
        <Loading className="">{telemetry.problem ?? 'Reading …'}</Loading>
      )}
    </div>
  );
}

function linesOf(views: readonly SeriesView[], n: number, by: SeriesAxis) {
  return views.map(asked => {
    const view = placedBy(asked, by);
    return view.n === n ? seriesLine(view, `#${n}`, 0) : seriesLine(view, `incumbent #${view.n}`, 1, true);
  });
}
