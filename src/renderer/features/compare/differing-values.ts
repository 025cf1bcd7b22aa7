import type { Goal } from '../../../shared/contract/contract.ts';
import { directionOf } from '../../../shared/contract/metric-direction.ts';
import type { ExperimentDetail, RunView, StudyCard } from '../../../shared/notebook.ts';
import { formatBytes, formatDuration, formatEnergy, formatNumber } from '../../../shared/numbers.ts';

/** A value that differs between the compared experiments. */
export type DifferingRow = {
  readonly name: string;
  /** In the order of the experiments; null if one has none. */
  readonly values: readonly (string | null)[];
  /** Indices of the best values; empty if it is unknown which direction is better. */
  readonly best: readonly number[];
};

/** Amounts of work, of which more or less is neither better nor worse. */
const AMOUNT = /(?:^|[_\s])(?:tokens|steps|params|parameters|seconds|epochs?|iters?|iterations)(?:$|[_\s])/i;

/** The run that gave the verdict, else the last one. */
export function decidingRun({ runs, evidence }: ExperimentDetail): RunView | null {
  return runs.find(({ k }) => k === evidence?.run) ?? runs.at(-1) ?? null;
}

/** Time, memory and energy of the experiments, as far as they differ. */
export function differingCosts(
  { contract }: Pick<StudyCard, 'contract'>,
  details: readonly ExperimentDetail[],
): readonly DifferingRow[] {
  const runs = details.map(decidingRun);
  const row = (
    name: string,
    values: readonly (number | null | undefined)[],
    format: (value: number) => string,
    isLessBetter = true,
  ) => rowOf(name, values, format, isLessBetter ? 'minimize' : null);
  return [
    // Most trainings use up their budget, so a shorter one is not a gain.
    row(
      'trained',
      details.map(({ cell }) => cell.trainedSeconds),
      formatDuration,
      false,
    ),
    row(
      contract.metric.memory ?? 'memory',
      details.map(({ cell }) => cell.memory),
      formatNumber,
    ),
    row(
      'peak host memory',
      runs.map(run => run?.peakRssBytes),
      formatBytes,
    ),
    row(
      'GPU energy',
      runs.map(run => run?.gpuEnergyWh),
      formatEnergy,
    ),
  ].flatMap(found => found ?? []);
}

/** Values that the trainings printed at their end, if they differ; the metric and its memory are shown elsewhere. */
export function differingSummary(
  { contract }: Pick<StudyCard, 'contract'>,
  details: readonly ExperimentDetail[],
): readonly DifferingRow[] {
  const { metric } = contract;
  const summaries = details.map(
    detail => new Map(decidingRun(detail)?.summary.map(({ name, value }) => [name, value])),
  );
  const names = new Set(summaries.flatMap(summary => [...summary.keys()]));
  return [...names]
    .filter(name => name !== metric.name && name !== metric.memory)
    .flatMap(name => {
      const values = summaries.map(summary => summary.get(name));
      const goal = AMOUNT.test(name) ? null : directionOf(name);
      return rowOf(name, values, value => formatNumber(value, 8), goal) ?? [];
    });
}

/** Null if all are written the same. */
function rowOf(
  name: string,
  values: readonly (number | string | null | undefined)[],
  format: (value: number) => string,
  goal: Goal | null,
): DifferingRow | null {
  const written = values.map(value => (typeof value === 'number' ? format(value) : (value ?? null)));
  if (new Set(written).size < 2) return null;
  const numbers = values.filter(value => typeof value === 'number');
  const best = goal === 'minimize' ? Math.min(...numbers) : Math.max(...numbers);
  const places = values.flatMap((value, place) => (value === best ? [place] : []));
  // A single value is not the best of anything.
  return { name, values: written, best: goal === null || numbers.length < 2 ? [] : places };
}
