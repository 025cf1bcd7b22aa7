import type { Arm, Debrief } from './debrief.ts';
import { gainText, intervalText, shareText } from './describe-debrief.ts';
import { ABSENT } from './numbers.ts';

/** A column of a table whose cells are texts: the window and the report show the same. */
export type TextColumn<Row> = {
  readonly name: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => string;
};

/** What came of those that proposed, beside their names. */
export function armColumns(metric: string): readonly TextColumn<Arm>[] {
  const isNumber = true;
  return [
    { name: 'Tried', isNumber, cell: arm => String(arm.experiments) },
    { name: 'Kept (90 % interval)', isNumber, cell: arm => shareText(arm.keepRate) },
    { name: `Gain in ${metric}`, isNumber, cell: arm => gainText(arm.gain) },
    { name: 'per experiment', isNumber, cell: arm => intervalText(arm.gainPerExperiment) },
    { name: 'per hour trained', isNumber, cell: arm => intervalText(arm.gainPerHour) },
    { name: 'per kWh', isNumber, cell: arm => intervalText(arm.gainPerKwh) },
    { name: 'per dollar', isNumber, cell: arm => intervalText(arm.gainPerDollar) },
  ];
}

/** What was asked for, and what it led to. */
export type Asked = (Debrief['instructions'] | Debrief['notes'])[number] & { readonly title: string };

/**
 * The versions of the instructions and the notes. One version without a note is the whole study, of which the summary tells.
 * @param instructions what the instructions are called
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

/** @param timeText writes milliseconds since the epoch */
export function askedColumns(timeText: (at: number) => string): readonly TextColumn<Asked>[] {
  const isNumber = true;
  return [
    { name: 'Applied', cell: ({ title }) => title },
    { name: 'From', cell: ({ at }) => timeText(at) },
    { name: 'Tried', isNumber, cell: ({ experiments }) => String(experiments) },
    { name: 'Kept', isNumber, cell: ({ keep }) => String(keep) },
    { name: 'Gain', isNumber, cell: ({ gain }) => gainText(gain) },
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

/** Without the columns in which no row says anything. */
export function filledColumns<Row>(
  columns: readonly TextColumn<Row>[],
  rows: readonly Row[],
): readonly TextColumn<Row>[] {
  return columns.filter(({ cell }) => rows.some(row => !['', ABSENT].includes(cell(row))));
}
