import type { Cell, Mark, StudyCard } from '../../../shared/notebook.ts';
import {
  clamp,
  formatBytes,
  formatDelta,
  formatDuration,
  formatEnergy,
  formatExactTime,
  formatMetric,
  formatNumber,
  formatPercent,
  formatUsd,
} from '../../../shared/numbers.ts';
import { phaseWord } from '../../../shared/phases.ts';
import type { ConstantTexts, TableRow } from '../../../shared/table-rows.ts';
import { reasonWords } from '../../../shared/verdicts/reason-words.ts';
import { knownTime } from '../../format/known-time.ts';
import { readNumeral } from '../../format/numeral.ts';

/** An experiment with everything that a column may show about it; null for what has not been read yet. */
export type Row = {
  readonly cell: Cell;
  readonly more: TableRow | null;
  readonly constants: ConstantTexts | null;
  readonly gpuPercent: number | null;
  /** P: the probability that it is better than its parent. */
  readonly probability: number | null;
  /** The sitting in which it began, counted from 1. */
  readonly sitting: number | null;
};

export type Value = number | string | null;

export type Column = {
  /** Its name in a filter. */
  readonly id: string;
  readonly label: string;
  /** Its group where columns are chosen. */
  readonly kind: 'experiment' | 'cost' | 'summary' | 'constant';
  /** A `mixed` column has numbers and words. */
  readonly holds: 'numbers' | 'words' | 'mixed';
  /** In pixels, until the user changes it. */
  readonly width: number;
  /** The value to sort, filter and copy; null if there is none. */
  readonly value: (row: Row) => Value;
  /** How a value is shown. */
  readonly show: (value: number | string, row: Row) => string;
  readonly isMetric?: boolean;
  /** Its meaning, if the name does not say it. */
  readonly hint?: string;
};

/** The column that shows a curve, which cannot be sorted. */
export const CURVE = 'curve';

/** The names of columns that every study has. */
const FIXED = [
  ...['n', 'verdict', 'delta', 'P', 'hypothesis', 'category', 'reason', 'predicted', 'proposer', 'model'],
  ...['sitting', 'runs', 'ended', 'tags', CURVE, 'trained', 'host_memory', 'gpu', 'energy', 'cost'],
];

/**
 * The names of the columns for the metric and for memory: as the training prints them, unless another column has that
 * name.
 */
export function measuredIds({ contract: { metric } }: StudyCard): {
  readonly metric: string;
  readonly memory: string;
} {
  const free = freeNames(FIXED);
  return { metric: free(metric.name, 'metric'), memory: free(metric.memory ?? 'memory', 'memory') };
}

/** Gives names that differ by more than case from those taken and from each other. */
function freeNames(names: readonly string[]): (name: string, prefix: string) => string {
  const taken = new Set(names.map(name => name.toLowerCase()));
  return (name, prefix) => {
    let id = name;
    while (taken.has(id.toLowerCase())) id = `${prefix}.${id}`;
    taken.add(id.toLowerCase());
    return id;
  };
}

const plain = (value: number | string) => (typeof value === 'number' ? formatNumber(value) : value);
const numeric = (format: (value: number) => string) => (value: number | string) =>
  typeof value === 'number' ? format(value) : value;

/** All columns that a study can have, the least important last. */
export function columnsOf(
  card: StudyCard,
  summaryNames: readonly string[],
  constantNames: readonly string[],
) {
  const columns: Column[] = [...experimentColumns(card), ...costColumns(card)];
  const free = freeNames(columns.map(({ id }) => id));
  const { name: metric, memory } = card.contract.metric;
  for (const name of constantNames) columns.push(constantColumn(free(name, 'constant'), name));
  for (const name of summaryNames) {
    if (name !== metric && name !== memory) columns.push(summaryColumn(free(name, 'summary'), name));
  }
  return columns;
}

function column(
  id: string,
  label: string,
  width: number,
  value: Column['value'],
  more: Partial<Column> = {},
): Column {
  return { id, label, width, value, kind: 'experiment', holds: 'numbers', show: plain, ...more };
}

function experimentColumns(card: StudyCard): readonly Column[] {
  const { metric } = card.contract;
  const words = { holds: 'words' } as const;
  return [
    column('n', '#', 64, ({ cell }) => cell.n, { show: value => `#${value}`, hint: 'Of the experiment' }),
    column('verdict', 'Verdict', 120, ({ cell }) => cell.verdict?.word ?? phaseWord(cell.phase), words),
    column(measuredIds(card).metric, metric.name, 112, ({ cell }) => cell.record?.mean ?? cell.metric, {
      isMetric: true,
      show: numeric(formatMetric),
      hint: `The metric; ${metric.goal === 'minimize' ? 'lower' : 'higher'} is better`,
    }),
    column('delta', 'Δ', 108, ({ cell }) => cell.delta, {
      show: numeric(formatDelta),
      hint: 'Difference from the best at that time, on which it was built',
    }),
    column('P', 'P', 76, ({ probability }) => probability, {
      show: numeric(value => formatPercent(value, 0)),
      hint: 'Probability that a keep is better than its parent',
    }),
    column('hypothesis', 'Hypothesis', 320, ({ cell }) => cell.hypothesis, words),
    column('category', 'Category', 120, ({ cell }) => cell.category, words),
    column('reason', 'Reason', 120, ({ cell }) => cell.verdict && reasonWords(cell.verdict), words),
    column('predicted', 'Predicted', 108, ({ cell }) => cell.predictedEffect, {
      show: numeric(formatDelta),
      hint: 'Change of the metric that the proposer predicted',
    }),
    column('proposer', 'Proposer', 140, ({ more }) => more?.proposer ?? null, words),
    column('model', 'Model', 140, ({ more }) => more?.model ?? null, words),
    column('sitting', 'Sitting', 76, ({ sitting }) => sitting, {
      hint: 'Which start of the study it belongs to',
    }),
    column('runs', 'Runs', 64, ({ more }) => more?.runs ?? null),
    column('ended', 'Ended', 170, ({ cell }) => knownTime(cell), { show: numeric(formatExactTime) }),
    column('tags', 'Tags', 140, ({ cell }) => (cell.tags.length > 0 ? cell.tags.join(', ') : null), words),
    column(CURVE, 'Curve', 112, () => null, { ...words, hint: 'The main curve of its last run' }),
  ];
}

function costColumns(card: StudyCard): readonly Column[] {
  const { memory } = card.contract.metric;
  const cost = { kind: 'cost' } as const;
  return [
    column('trained', 'Trained', 104, ({ cell }) => cell.trainedSeconds, {
      ...cost,
      show: numeric(formatDuration),
      hint: 'Wall time of its runs, in seconds',
    }),
    column(measuredIds(card).memory, memory ?? 'Memory', 116, ({ cell }) => cell.memory, {
      ...cost,
      hint: 'Peak memory, as the training printed it',
    }),
    column('host_memory', 'Host memory', 112, ({ more }) => more?.peakRssBytes ?? null, {
      ...cost,
      show: numeric(formatBytes),
      hint: 'The most main memory a run took, in bytes',
    }),
    column('gpu', 'GPU use', 88, ({ gpuPercent }) => gpuPercent, {
      ...cost,
      show: numeric(value => `${value.toFixed(0)} %`),
      hint: 'Mean use of the GPU its last run used most, in percent',
    }),
    column('energy', 'Energy', 96, ({ more }) => more?.energyWh ?? null, {
      ...cost,
      show: numeric(formatEnergy),
      hint: 'Of the GPUs, in Wh',
    }),
    column('cost', 'Cost', 88, ({ more }) => more?.costUsd ?? null, {
      ...cost,
      show: numeric(formatUsd),
      hint: 'Of models that were asked, in US dollars',
    }),
  ];
}

/** Enough for its name and the sort mark. */
function widthOf(name: string): number {
  return Math.round(clamp(34 + 7 * name.length, 72, 160));
}

function constantColumn(id: string, name: string): Column {
  return column(
    id,
    name,
    widthOf(name),
    ({ constants }) => {
      const text = constants?.get(name) ?? null;
      return text === null ? null : (readNumeral(text) ?? text);
    },
    {
      ...({ kind: 'constant', holds: 'mixed', hint: 'A constant of the editable files' } as const),
      // As in the file: `2**19` says more than its value.
      show: (value, { constants }) => constants?.get(name) ?? String(value),
    },
  );
}

function summaryColumn(id: string, name: string): Column {
  return column(
    id,
    name,
    widthOf(name),
    ({ more }) => {
      const value = more?.summary.find(([own]) => own === name)?.[1] ?? null;
      return typeof value === 'string' ? Number(value) : value;
    },
    { kind: 'summary', hint: 'Printed by the training' },
  );
}

/** The sitting in which each experiment began: the number of sittings that had begun by then. */
export function sittingsOf(marks: readonly Mark[]): (startedAt: number) => number | null {
  const begins = marks.filter(({ kind }) => kind === 'started').map(({ at }) => at);
  return startedAt => begins.filter(at => at <= startedAt).length || null;
}
