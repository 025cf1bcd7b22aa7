import type { ArmsOfStudies, Debrief } from '../../shared/debrief.ts';
import {
  armColumns,
  askedColumns,
  askedRows,
  filledColumns,
  type TextColumn,
} from '../../shared/debrief-columns.ts';
import {
  certaintyOf,
  crashWords,
  describeCertainty,
  describeCounts,
  describeFailures,
  describeProgress,
  describeStop,
  gainText,
  resourceRows,
  timeRows,
} from '../../shared/describe-debrief.ts';
import { ABSENT, formatMetric } from '../../shared/numbers.ts';
import type { Block, Document } from './document.ts';

/** What stands in a report besides the debrief. */
export type ReportParts = {
  /** The text of an SVG; null for none. */
  readonly chart: string | null;
  /** Who proposed in this and the other studies of the repository; null where there are none. */
  readonly allArms: ArmsOfStudies | null;
  /** Unified diffs of what was kept, by experiment. */
  readonly diffs: ReadonlyMap<number, string>;
};

/** The debrief as a text, section by section; a section without anything in it is left out. */
export function describeDebrief(debrief: Debrief, { chart, allArms, diffs }: ReportParts): Document {
  const { study } = debrief;
  return {
    title: `${study.project}: ${study.tag}`,
    blocks: [
      ...summary(debrief, chart),
      ...next(debrief),
      ...kept(debrief, diffs),
      ...takenBack(debrief),
      ...nearMisses(debrief),
      ...surprises(debrief),
      ...deadEnds(debrief),
      ...crashes(debrief),
      ...arms('Who proposed', debrief.study, debrief.arms),
      ...(allArms === null
        ? []
        : arms(`Who proposed, in all studies (${allArms.studies.join(', ')})`, debrief.study, allArms.arms)),
      ...instructions(debrief),
      ...resources(debrief),
    ],
  };
}

/** Without the columns in which no row has anything. */
function table(
  columns: Extract<Block, { kind: 'table' }>['columns'],
  rows: readonly (readonly string[])[],
): Block {
  return textTable(
    columns.map((column, place) => ({ ...column, cell: (row: readonly string[]) => row[place] ?? '' })),
    rows,
  );
}

function textTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): Block {
  const filled = filledColumns(columns, rows);
  return {
    kind: 'table',
    columns: filled.map(({ name, isNumber = false }) => ({ name, isNumber })),
    rows: rows.map(row => filled.map(({ cell }) => cell(row))),
  };
}

const heading = (text: string): Block => ({ kind: 'heading', text });
const name = (n: number, hypothesis: string) => `#${n} ${hypothesis}`;

/** Days and minutes in UTC, so that a report says the same wherever it is read. */
function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function summary(debrief: Debrief, chart: string | null): readonly Block[] {
  const { from, until, sitting, sittings } = debrief;
  const what = sitting === null ? 'The whole study' : `Sitting ${sitting + 1} of ${sittings.length}`;
  const stop = describeStop(debrief);
  return [
    { kind: 'paragraph', isLead: true, text: describeProgress(debrief) },
    {
      kind: 'paragraph',
      text: `${describeCounts(debrief)} ${what}, ${timeText(from)} to ${timeText(until)}.`,
    },
    ...written(debrief),
    ...list([...describeCertainty(debrief), ...(stop === null ? [] : [stop])]),
    ...(chart === null
      ? []
      : [
          {
            kind: 'picture' as const,
            svg: chart,
            words: 'The chart of the best so far is in the HTML report.',
          },
        ]),
  ];
}

/** Marked as what a model wrote, apart from what was measured. */
function written({ summary: found }: Debrief): readonly Block[] {
  if (!found) return [];
  const { model, at, sentences } = found;
  return [
    {
      kind: 'paragraph',
      text: `Written by ${model}, ${timeText(at)}, and not measured: ${sentences.join(' ')}`,
    },
  ];
}

function list(items: readonly string[]): readonly Block[] {
  return items.length === 0 ? [] : [{ kind: 'list', items }];
}

function next({ next: steps }: Debrief): readonly Block[] {
  if (steps.length === 0) return [];
  return [heading('What to do next'), ...list(steps.map(({ title, why }) => `${title}. ${why}`))];
}

function kept({ kept: ideas, study }: Debrief, diffs: ReportParts['diffs']): readonly Block[] {
  if (ideas.length === 0) return [];
  const { name: metric } = study.metric;
  return [
    heading('What worked'),
    table(
      [
        { name: 'Idea' },
        { name: 'Gain', isNumber: true },
        { name: metric, isNumber: true },
        { name: 'Sure?' },
        { name: 'Why it was tried' },
        { name: 'Commit' },
      ],
      ideas.map(idea => [
        name(idea.n, idea.hypothesis),
        gainText(idea.gain),
        idea.record === null
          ? ABSENT
          : `${formatMetric(idea.record.mean)}${idea.record.runs > 1 ? ` (${idea.record.runs} runs)` : ''}`,
        certaintyOf(idea),
        idea.rationale ?? '',
        idea.commit?.slice(0, 9) ?? '',
      ]),
    ),
    ...ideas.flatMap(({ n, hypothesis }) => {
      const diff = diffs.get(n);
      return diff ? [{ kind: 'code' as const, title: `Diff of ${name(n, hypothesis)}`, text: diff }] : [];
    }),
  ];
}

function takenBack({ takenBack: ideas }: Debrief): readonly Block[] {
  if (ideas.length === 0) return [];
  return [
    heading('Taken back'),
    ...list(ideas.map(({ n, hypothesis, why }) => `${name(n, hypothesis)}: ${why}`)),
  ];
}

function nearMisses({ nearMisses: ideas }: Debrief): readonly Block[] {
  if (ideas.length === 0) return [];
  return [
    heading('Worth a second look'),
    {
      kind: 'table',
      columns: [{ name: 'Idea' }, { name: 'Gain', isNumber: true }, { name: 'Why' }],
      rows: ideas.map(({ n, hypothesis, gain, why }) => [name(n, hypothesis), gainText(gain), why]),
    },
  ];
}

function surprises({ surprises: ideas }: Debrief): readonly Block[] {
  if (ideas.length === 0) return [];
  return [
    heading('Surprises'),
    {
      kind: 'table',
      columns: [
        { name: 'Idea' },
        { name: 'Predicted gain', isNumber: true },
        { name: 'Actual gain', isNumber: true },
      ],
      rows: ideas.map(({ n, hypothesis, predicted, actual }) => [
        name(n, hypothesis),
        gainText(predicted),
        gainText(actual),
      ]),
    },
  ];
}

function deadEnds({ deadEnds: ends }: Debrief): readonly Block[] {
  if (ends.length === 0) return [];
  return [
    heading('Dead ends'),
    {
      kind: 'table',
      columns: [
        { name: 'Theme' },
        { name: 'Tried', isNumber: true },
        { name: 'Nearest', isNumber: true },
        { name: 'Experiments' },
      ],
      rows: ends.map(({ kind, name: theme, tried, nearest, experiments }) => [
        `${kind} ${theme}`,
        String(tried),
        gainText(nearest),
        numbers(experiments),
      ]),
    },
  ];
}

const MOST_NUMBERS = 12;

function numbers(experiments: readonly number[]): string {
  const shown = experiments.slice(0, MOST_NUMBERS).map(n => `#${n}`);
  const rest = experiments.length - shown.length;
  return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function crashes({ crashes: groups }: Debrief): readonly Block[] {
  if (groups.length === 0) return [];
  return [
    heading('Crashes'),
    {
      kind: 'table',
      columns: [
        { name: 'Cause' },
        { name: 'Times', isNumber: true },
        { name: 'Newest message' },
        { name: 'Experiments' },
      ],
      rows: groups.map(({ class: kind, experiments, message }) => [
        crashWords(kind),
        String(experiments.length),
        message,
        numbers(experiments),
      ]),
    },
  ];
}

function arms(title: string, study: Debrief['study'], all: Debrief['arms']): readonly Block[] {
  if (all.length === 0) return [];
  return [
    heading(title),
    textTable(
      [{ name: 'Proposer', cell: ({ proposer }) => proposer }, ...armColumns(study.metric.name)],
      all,
    ),
    ...list(
      all.flatMap(arm => {
        const failed = describeFailures(arm);
        return failed === null ? [] : [`${arm.proposer}. ${failed}`];
      }),
    ),
  ];
}

function instructions(debrief: Debrief): readonly Block[] {
  const rows = askedRows(debrief, 'Instructions');
  if (rows.length === 0) return [];
  return [heading('What was asked for, and what it yielded'), textTable(askedColumns(timeText), rows)];
}

function resources(debrief: Debrief): readonly Block[] {
  const rows = [...timeRows(debrief), ...resourceRows(debrief)];
  if (rows.length === 0) return [];
  return [
    heading('Time and cost'),
    { kind: 'table', columns: [{ name: '' }, { name: '', isNumber: true }], rows: rows.map(row => [...row]) },
  ];
}
