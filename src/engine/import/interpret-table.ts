import type { ImportQuestion, Skipped } from '../../shared/imports.ts';
import type { VerdictWord } from '../../shared/study.ts';
import { chooseGoal, goalInWords } from './choose-goal.ts';
import { chooseMetric } from './choose-metric.ts';
import { commitColumn, descriptionColumns, memoryColumn, metricRole } from './column-roles.ts';
import type { Goal, ImportAnswers, ImportedRow, ImportedTable } from './imported-table.ts';
import { byLine, plainHeading, type RawRow, type RawTable } from './raw-table.ts';
import { readNumber } from './read-number.ts';
import { isVerdictHeading, type ReadVerdict, readVerdict, verdictHeadingRank } from './verdict-words.ts';

export type Interpretation =
  | { readonly kind: 'table'; readonly table: ImportedTable }
  | { readonly kind: 'question'; readonly question: ImportQuestion }
  /** There is no such column. */
  | { readonly kind: 'unknown_metric'; readonly names: readonly string[] };

type Judged = { readonly row: RawRow; readonly verdict: ReadVerdict };

/** A row's number: measured, absent, or unreadable. */
type Measured = number | null | 'unclear';

/** Interprets the rows of a table, or returns what has to be asked first. */
export function interpretTable(raw: RawTable, answers: ImportAnswers): Interpretation {
  const skipped: Skipped[] = [...raw.skipped];
  const verdictColumns = chooseVerdictColumns(raw);
  const judged = raw.rows.flatMap((row): readonly Judged[] => {
    const verdict = verdictOf(row, raw.columns, verdictColumns);
    if (verdict) return [{ row, verdict }];
    // A row with all its fields is not shifted, so this is just a long word.
    const long = row.fields[verdictColumns[0] ?? 0] ?? '';
    if (row.count === raw.columns.length) {
      return [{ row, verdict: { word: 'other', text: clip(long), isMeasured: true } }];
    }
    skipped.push({ line: row.line, reason: 'there is no verdict in the verdict column.' });
    return [];
  });
  const { metricNames } = raw.told;
  const [named] = metricNames;
  if (metricNames.length > 1) return asks({ kind: 'metric', names: metricNames });
  const isNameOfMetric = named !== undefined && (answers.metric === null || answers.metric === named);
  const chosen = chooseMetric(
    raw.columns,
    judged.map(({ row }) => row),
    judged.map(({ verdict }) => verdict.word),
    isNameOfMetric ? metricHeading(raw, named) : (answers.metric ?? metricInComments(raw)),
  );
  if (!('column' in chosen)) {
    if (answers.metric !== null) return { kind: 'unknown_metric', names: raw.columns };
    return asks({ kind: 'metric', names: chosen.names });
  }
  const heading = raw.columns[chosen.column]?.trim() || 'metric';
  const metricName = isNameOfMetric ? named : plainName(heading);
  const numbers = readNumbers(
    judged.map(({ row }) => row),
    chosen.column,
  );
  const rows = judged.map(({ row, verdict }, index) => ({
    ...{ row, verdict: verdict.word, text: verdict.text },
    metric: settle(numbers[index] ?? null, verdict),
  }));
  const readable = rows.flatMap(({ row, verdict, text, metric }) => {
    if (metric !== 'unclear') return [{ row, verdict, text, metric }];
    skipped.push({ line: row.line, reason: `"${clip(row.fields[chosen.column] ?? '')}" is not a number.` });
    return [];
  });
  // The file's direction belongs to its own metric, not to another that the user asks for.
  const isOther =
    answers.metric !== null && !isNameOfMetric && metricRole(heading, raw.columns).kind !== 'sure';
  const told = goalInWords(heading) ?? (isOther ? null : (raw.told.goal ?? goalInComments(raw)));
  const goal: ReturnType<typeof chooseGoal> =
    answers.goal === null ? chooseGoal(metricName, told, readable) : { goal: answers.goal, from: 'given' };
  if (goal.goal === null) return asks({ kind: 'goal', metricName, why: goal.why });
  return {
    kind: 'table',
    table: {
      columns: raw.columns,
      metricName,
      goal: goal.goal,
      goalFrom: goal.from,
      isProven: chosen.isProven,
      hasMemory: memoryColumn(raw.columns) !== null,
      rows: finish(readable, raw.columns, goal.goal),
      skipped: skipped.sort(byLine),
    },
  };
}

function asks(question: ImportQuestion): Interpretation {
  return { kind: 'question', question };
}

/** Columns that may hold a verdict; the one with the most known words first. */
function chooseVerdictColumns({ columns, rows, told }: RawTable): readonly number[] {
  if (told.verdictColumn !== null) return [told.verdictColumn];
  const known = (column: number) =>
    rows.filter(({ fields }) => {
      const word = readVerdict(fields[column] ?? '', plainHeading(columns[column] ?? ''))?.word;
      return word === 'keep' || word === 'discard';
    }).length;
  return columns
    .flatMap((heading, column) => {
      const plain = plainHeading(heading);
      return isVerdictHeading(plain)
        ? [{ column, known: known(column), rank: verdictHeadingRank(plain) }]
        : [];
    })
    .sort((a, b) => b.known - a.known || a.rank - b.rank)
    .map(({ column }) => column);
}

/** If the first of these columns is empty, the next one counts. */
function verdictOf(row: RawRow, columns: readonly string[], places: readonly number[]): ReadVerdict | null {
  const filled = places.find(place => (row.fields[place] ?? '').trim() !== '') ?? places[0];
  // Results without verdicts, such as a sweep.
  if (filled === undefined) return { word: 'other', text: '', isMeasured: true };
  return readVerdict(row.fields[filled] ?? '', plainHeading(columns[filled] ?? ''));
}

/** The column that holds the metric if the file itself names it. */
function metricHeading({ columns }: RawTable, named: string): string {
  return columns.find(column => plainHeading(column) === 'metric') ?? named;
}

function metricInComments({ columns, told }: RawTable): string | null {
  for (const comment of told.comments) {
    const said = /^(?:primary[_ ])?metric(?:[_ ]name)?\s*[:=]\s*(\S{1,64})/i.exec(comment)?.[1];
    if (said && columns.some(column => plainHeading(column) === plainHeading(said))) return said;
  }
  return null;
}

function goalInComments({ told }: RawTable): Goal | null {
  const goals = new Set(told.comments.flatMap(comment => goalInWords(comment) ?? []));
  const [goal = null] = goals;
  return goals.size === 1 ? goal : null;
}

/** `val_bpb (lower is better)` is called `val_bpb`. */
function plainName(heading: string): string {
  const bare = heading.replace(/[*`↑↓⬆⬇]/g, '').trim();
  const said = /^(.*\S)\s*[([]([^()[\]]*)[)\]]$/.exec(bare);
  return (said?.[1] && goalInWords(said[2] ?? '') !== null ? said[1] : bare).slice(0, 64);
}

/** All numbers need the same unit: a row in another one cannot be compared. */
function readNumbers(rows: readonly RawRow[], column: number): readonly Measured[] {
  const read = rows.map(row => readNumber(row.fields[column] ?? ''));
  const units = new Map<string, number>();
  for (const found of read) {
    if (found.kind === 'number' && found.value !== 0) units.set(found.unit, (units.get(found.unit) ?? 0) + 1);
  }
  const [unit = ''] = [...units].sort((a, b) => b[1] - a[1])[0] ?? [];
  return read.map(found => {
    if (found.kind === 'absent') return null;
    if (found.kind === 'unclear') return 'unclear';
    return found.unit === unit || found.value === 0 ? found.value : 'unclear';
  });
}

/** A crash has no number: neither upstream's 0 nor text that is not a number counts. */
function settle(metric: Measured, { word, isMeasured }: ReadVerdict): Measured {
  if (!isMeasured) return null;
  return word === 'crash' && (metric === 0 || metric === 'unclear') ? null : metric;
}

type Readable = {
  readonly row: RawRow;
  readonly verdict: VerdictWord;
  readonly text: string;
  readonly metric: number | null;
};

function finish(rows: readonly Readable[], columns: readonly string[], goal: Goal): readonly ImportedRow[] {
  const memory = memoryColumn(columns);
  const commit = commitColumn(columns);
  const descriptions = descriptionColumns(columns);
  const megabytes = rows.map(({ row }) => {
    const read = memory && readNumber(row.fields[memory.index] ?? '');
    return memory && read?.kind === 'number' ? read.value * memory.factor : null;
  });
  const hasMemory = megabytes.some(value => value !== null && value > 0);
  const kept = rows.flatMap(({ verdict, metric }) => (verdict === 'keep' && metric !== null ? [metric] : []));
  // Where less is better, a 0 would beat all; and a run that took no memory did not run.
  const isNoZero = goal === 'minimize' && kept.length > 0 && kept.every(value => value > 0);
  return rows.map(({ row, verdict, text, metric }, index) => {
    const isUnmeasured =
      metric === 0 && verdict !== 'keep' && (isNoZero || (hasMemory && megabytes[index] === 0));
    const name = row.fields[commit]?.trim() ?? '';
    return {
      hypothesis: describe(row, descriptions),
      verdict,
      word: verdict === 'other' ? text || 'none' : null,
      metric: isUnmeasured ? null : metric,
      memory: megabytes[index] || null,
      commit: /^[0-9a-f]{4,64}$/i.test(name) ? name : null,
      fields: row.fields,
      line: row.line,
    };
  });
}

function describe({ fields }: RawRow, columns: readonly number[]): string {
  for (const column of columns) {
    const text = fields[column]?.trim() ?? '';
    if (text === '') continue;
    // A field that was written in quotes.
    return /^"(?:[^"]|"")*"$/.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text;
  }
  return 'no description';
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
