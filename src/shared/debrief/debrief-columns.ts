import { listed } from '../listed.ts';
import { ABSENT, formatDelta, formatMetric } from '../numbers.ts';
import type { Arm, Debrief, KeptIdea } from './debrief.ts';
import { certaintyOf, crashWords, gainText, intervalText, shareText } from './describe-debrief.ts';

/** A column of text cells; the window and the report show the same. */
export type TextColumn<Row> = {
  readonly name: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => string;
};

type Idea = { readonly n: number; readonly hypothesis: string };
type RowOf<Part extends 'nearMisses' | 'surprises' | 'deadEnds' | 'crashes'> = Debrief[Part][number];

const isNumber = true;
const IDEA: TextColumn<Idea> = { name: 'Idea', cell: ({ n, hypothesis }) => `#${n} ${hypothesis}` };
/** If there are more experiments, only the first are named. */
export const MOST_NAMED = 12;
const EXPERIMENTS: TextColumn<{ readonly experiments: readonly number[] }> = {
  name: 'Experiments',
  cell: ({ experiments }) =>
    listed(
      experiments.map(n => `#${n}`),
      MOST_NAMED,
    ),
};

/** Names the number of runs if an experiment was run more than once. */
export function keptColumns(metric: string, ideas: readonly KeptIdea[]): readonly TextColumn<KeptIdea>[] {
  const hasRepeats = ideas.some(({ record }) => (record?.runs ?? 0) > 1);
  const runs: TextColumn<KeptIdea> = {
    ...{ name: 'Runs', isNumber },
    cell: ({ record }) => (record ? String(record.runs) : ABSENT),
  };
  return [
    IDEA,
    { name: 'Gain', isNumber, cell: ({ gain }) => formatDelta(gain) },
    { name: metric, isNumber, cell: ({ record }) => formatMetric(record?.mean) },
    ...(hasRepeats ? [runs] : []),
    { name: 'Sure?', cell: certaintyOf },
  ];
}

export const NEAR_MISS_COLUMNS: readonly TextColumn<RowOf<'nearMisses'>>[] = [
  IDEA,
  { name: 'Gain', isNumber, cell: ({ gain }) => formatDelta(gain) },
  { name: 'Why', cell: ({ why }) => why },
];

export const SURPRISE_COLUMNS: readonly TextColumn<RowOf<'surprises'>>[] = [
  IDEA,
  { name: 'Predicted gain', isNumber, cell: ({ predicted }) => formatDelta(predicted) },
  { name: 'Actual gain', isNumber, cell: ({ actual }) => formatDelta(actual) },
];

export const DEAD_END_COLUMNS: readonly TextColumn<RowOf<'deadEnds'>>[] = [
  { name: 'Theme', cell: ({ kind, name }) => `${kind} ${name}` },
  { name: 'Tried', isNumber, cell: ({ tried }) => String(tried) },
  { name: 'Nearest gain', isNumber, cell: ({ nearest }) => formatDelta(nearest) },
  EXPERIMENTS,
];

export const CRASH_COLUMNS: readonly TextColumn<RowOf<'crashes'>>[] = [
  { name: 'Cause', cell: group => crashWords(group.class) },
  { name: 'Times', isNumber, cell: ({ experiments }) => String(experiments.length) },
  { name: 'Newest message', cell: ({ message }) => message },
  EXPERIMENTS,
];

/** What the brackets of {@link armColumns} hold. */
export const ARM_INTERVALS = 'In brackets: 90 % intervals.';

/** The proposers' results, beside their names. */
export function armColumns(metric: string): readonly TextColumn<Arm>[] {
  return [
    { name: 'Tried', isNumber, cell: arm => String(arm.experiments) },
    { name: 'Kept', isNumber, cell: arm => shareText(arm.keepRate) },
    { name: `Gain in ${metric}`, isNumber, cell: arm => formatDelta(arm.gain) },
    { name: 'per experiment', isNumber, cell: arm => intervalText(arm.gainPerExperiment) },
    { name: 'per hour trained', isNumber, cell: arm => intervalText(arm.gainPerHour) },
    { name: 'per kWh', isNumber, cell: arm => intervalText(arm.gainPerKwh) },
    { name: 'per dollar', isNumber, cell: arm => intervalText(arm.gainPerDollar) },
  ];
}

/** The user's instructions and notes, and their results. */
export type Asked = (Debrief['instructions'] | Debrief['notes'])[number] & { readonly title: string };

/**
 * The versions of the instructions and the notes. A single version without notes covers the whole study, which the
 * summary already describes.
 * @param instructions the name of the instructions
 */
export function askedRows(
  { instructions: versions, notes }: Debrief,
  instructions: string,
): readonly Asked[] {
  if (versions.length < 2 && notes.length === 0) return [];
  return [
    ...versions.map(found => ({
      ...found,
      title: `${instructions}, ${found.version === 0 ? 'as committed' : `version ${found.version}`}`,
    })),
    ...notes.map(found => ({ ...found, title: `Note: ${found.text}` })),
  ];
}

/** @param timeText formats milliseconds since the epoch */
export function askedColumns(timeText: (at: number) => string): readonly TextColumn<Asked>[] {
  return [
    { name: 'Applied', cell: ({ title }) => title },
    { name: 'From', cell: ({ at }) => timeText(at) },
    { name: 'Tried', isNumber, cell: ({ experiments }) => String(experiments) },
    { name: 'Kept', isNumber, cell: ({ keep }) => String(keep) },
    { name: 'Gain', isNumber, cell: ({ gain }) => formatDelta(gain) },
    { name: 'per hour trained', isNumber, cell: ({ gainPerHour }) => gainText(gainPerHour) },
    {
      name: 'It led to',
      cell: ({ categories }) =>
        categories
          .slice(0, 3)
          .map(({ name, count }) => `${name} ${count}`)
          .join(', '),
    },
  ];
}

/** Leaves out columns that are empty in every row. */
export function filledColumns<Row>(
  columns: readonly TextColumn<Row>[],
  rows: readonly Row[],
): readonly TextColumn<Row>[] {
  return columns.filter(({ cell }) => rows.some(row => !['', ABSENT].includes(cell(row))));
}
