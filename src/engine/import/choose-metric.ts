import { directionOf } from '../../shared/contract/metric-direction.ts';
import type { VerdictWord } from '../../shared/study.ts';
import { compareWithKept } from './choose-goal.ts';
import { isHeldOut, type MetricRole, metricRole } from './column-roles.ts';
import { plainHeading, type RawRow } from './raw-table.ts';
import { readNumber } from './read-number.ts';

export type ChosenMetric =
  /** `isProven`: several columns were possible, and only this one agrees with the verdicts. */
  { readonly column: number; readonly isProven: boolean } | { readonly names: readonly string[] };

/** What proves a metric by the verdicts alone; with less, the user is asked. */
const PROOF = { keeps: 3, rows: 10, share: 0.95, rival: 0.6 } as const;
/** Less is enough for the only column whose name implies a direction: `win_rate` beside `draw_rate`. */
const NAMED_PROOF = { keeps: 2, rows: 10, share: 0.75, rival: 0.95 } as const;

type Candidate = { readonly column: number; readonly values: readonly (number | null)[] };

/**
 * Finds the metric's column by the headings. If several are possible, by the values: a kept row has the metric, and a
 * number that never changes decides nothing. Returns the names if several columns remain, and no name if none does.
 * @param verdicts of the rows
 */
export function chooseMetric(
  columns: readonly string[],
  rows: readonly RawRow[],
  verdicts: readonly VerdictWord[],
  wanted: string | null,
): ChosenMetric {
  if (wanted !== null) return findWanted(columns, wanted);
  const found = columns.map((heading, column) => ({ heading, column, role: metricRole(heading, columns) }));
  const usable = found.filter(({ column }) => isNumeric(rows, column));
  const [surest] = usable
    .flatMap(({ column, role }) => (role.kind === 'sure' ? [{ column, rank: role.rank }] : []))
    .sort((a, b) => a.rank - b.rank);
  if (surest) return { column: surest.column, isProven: false };
  for (const kind of ['plain', 'secondary', 'derived'] as const) {
    const candidates = usable
      .filter(({ role }) => role.kind === kind)
      .map(({ column }) => ({ column, values: rows.map(row => numberOf(row, column)) }));
    if (candidates.length === 0) continue;
    const left = narrow(candidates, verdicts);
    const heldOut = left.filter(({ column }) => isHeldOut(columns[column] ?? ''));
    const [only] = heldOut.length === 1 ? heldOut : left;
    if (only && (left.length === 1 || heldOut.length === 1)) return { column: only.column, isProven: false };
    const proven = findProven(left, columns, verdicts);
    if (proven) return { column: proven.column, isProven: true };
    return { names: left.map(({ column }) => columns[column]?.trim() ?? '') };
  }
  return chooseByName(found.filter(({ column }) => rows.every(row => isBlank(row.fields[column] ?? ''))));
}

/** Nothing was measured yet, so only the names can tell. */
function chooseByName(
  found: readonly { readonly heading: string; readonly column: number; readonly role: MetricRole }[],
): ChosenMetric {
  const [surest] = found
    .flatMap(({ column, role }) => (role.kind === 'sure' ? [{ column, rank: role.rank }] : []))
    .sort((a, b) => a.rank - b.rank);
  if (surest) return { column: surest.column, isProven: false };
  const told = found.filter(({ heading, role }) => role.kind === 'plain' && directionOf(heading) !== null);
  const [only] = told;
  return only && told.length === 1
    ? { column: only.column, isProven: false }
    : { names: told.map(({ heading }) => heading.trim()) };
}

/** Empty, or one of the marks for "not measured". */
function isBlank(field: string): boolean {
  return /^\W*(?:n\/?a|nan|none|null|tbd|pending)?\W*$/i.test(field.slice(0, 40)) && field.length <= 40;
}

function findWanted(columns: readonly string[], wanted: string): ChosenMetric {
  const exact = columns.findIndex(column => column.trim() === wanted.trim());
  const column = exact >= 0 ? exact : columns.findIndex(name => plainHeading(name) === plainHeading(wanted));
  return column >= 0 ? { column, isProven: false } : { names: [] };
}

function narrow(candidates: readonly Candidate[], verdicts: readonly VerdictWord[]): readonly Candidate[] {
  const whole = candidates.filter(({ values }) =>
    values.every((value, row) => value !== null || verdicts[row] !== 'keep'),
  );
  const moving = (whole.length > 0 ? whole : candidates).filter(({ values }) => {
    const measured = values.filter(value => value !== null);
    return measured.length < 3 || new Set(measured).size > 1;
  });
  if (moving.length > 0) return moving;
  return whole.length > 0 ? whole : candidates;
}

/**
 * The only number that explains what was kept: nearly always, in many rows, and much better than any other. Less is
 * enough if it is the only one whose name implies a direction.
 */
function findProven(
  candidates: readonly Candidate[],
  columns: readonly string[],
  verdicts: readonly VerdictWord[],
): Candidate | null {
  const found = candidates.map(candidate => {
    const { lower, higher, keeps } = compareWithKept(
      candidate.values.map((metric, row) => ({ verdict: verdicts[row] ?? 'other', metric })),
    );
    const goal = directionOf(columns[candidate.column] ?? '');
    const agreed = goal === null ? Math.max(lower, higher) : goal === 'minimize' ? lower : higher;
    return { candidate, goal, keeps, agreed, share: agreed / (lower + higher || 1) };
  });
  const [best, next] = found.sort((a, b) => b.agreed - a.agreed);
  if (!best) return null;
  const isNamed = best.goal !== null && found.filter(({ goal }) => goal !== null).length === 1;
  const fits = (proof: typeof PROOF | typeof NAMED_PROOF) =>
    best.keeps >= proof.keeps &&
    best.agreed >= proof.rows &&
    best.share >= proof.share &&
    (!next || next.agreed <= best.agreed * proof.rival);
  return fits(PROOF) || (isNamed && fits(NAMED_PROOF)) ? best.candidate : null;
}

function numberOf(row: RawRow, column: number): number | null {
  const read = readNumber(row.fields[column] ?? '');
  return read.kind === 'number' ? read.value : null;
}

/** Whether most fields are numbers, rather than other things with digits: commit ids, dates, shares. */
function isNumeric(rows: readonly RawRow[], column: number): boolean {
  const fields = rows.map(row => readNumber(row.fields[column] ?? ''));
  const numbers = fields.filter(({ kind }) => kind === 'number').length;
  const unclear = fields.filter(({ kind }) => kind === 'unclear').length;
  return numbers > 0 && numbers >= unclear;
}
