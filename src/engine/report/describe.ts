import type { ArmsOfStudies, Debrief } from '../../shared/debrief/debrief.ts';
import {
  ARM_INTERVALS,
  armColumns,
  askedColumns,
  askedRows,
  CRASH_COLUMNS,
  DEAD_END_COLUMNS,
  filledColumns,
  keptColumns,
  NEAR_MISS_COLUMNS,
  SURPRISE_COLUMNS,
  type TextColumn,
} from '../../shared/debrief/debrief-columns.ts';
import {
  describeCertainty,
  describeCounts,
  describeFailures,
  describeProgress,
  describeStop,
  resourceRows,
  timeRows,
} from '../../shared/debrief/describe-debrief.ts';
import type { Block, Document } from './document.ts';

/** Parts of a report besides the debrief. */
export type ReportParts = {
  /** The text of an SVG; null for no chart. */
  readonly chart: string | null;
  /** Proposers in all studies of the repository; null if there are no other studies. */
  readonly allArms: ArmsOfStudies | null;
  /** Unified diffs of kept experiments, by number. */
  readonly diffs: ReadonlyMap<number, string>;
};

/** The debrief as a document, section by section; empty sections are left out. */
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

/** Leaves out columns that are empty in every row. */
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

/** Dates and minutes in UTC, so that a report says the same everywhere. */
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

/** A model's text, marked as such and kept apart from measurements. */
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
  return [
    heading('What worked'),
    textTable(
      [
        ...keptColumns(study.metric.name, ideas),
        { name: 'Why it was tried', cell: ({ rationale }) => rationale ?? '' },
        { name: 'Commit', cell: ({ commit }) => commit?.slice(0, 9) ?? '' },
      ],
      ideas,
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
  return [heading('Worth a second look'), textTable(NEAR_MISS_COLUMNS, ideas)];
}

function surprises({ surprises: ideas }: Debrief): readonly Block[] {
  if (ideas.length === 0) return [];
  return [heading('Surprises'), textTable(SURPRISE_COLUMNS, ideas)];
}

function deadEnds({ deadEnds: ends }: Debrief): readonly Block[] {
  if (ends.length === 0) return [];
  return [heading('Dead ends'), textTable(DEAD_END_COLUMNS, ends)];
}

function crashes({ crashes: groups }: Debrief): readonly Block[] {
  if (groups.length === 0) return [];
  return [heading('Crashes'), textTable(CRASH_COLUMNS, groups)];
}

function arms(title: string, study: Debrief['study'], all: Debrief['arms']): readonly Block[] {
  if (all.length === 0) return [];
  return [
    heading(title),
    textTable(
      [{ name: 'Proposer', cell: ({ proposer }) => proposer }, ...armColumns(study.metric.name)],
      all,
    ),
    { kind: 'paragraph', text: ARM_INTERVALS },
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
  return [heading('What you asked for, and what came of it'), textTable(askedColumns(timeText), rows)];
}

function resources(debrief: Debrief): readonly Block[] {
  const rows = [...timeRows(debrief), ...resourceRows(debrief)];
  if (rows.length === 0) return [];
  return [
    heading('Time and cost'),
    { kind: 'table', columns: [{ name: '' }, { name: '', isNumber: true }], rows: rows.map(row => [...row]) },
  ];
}
