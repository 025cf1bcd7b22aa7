import { PawlError } from '../../shared/errors.ts';
import { isBetter, type Verdict } from '../../shared/study.ts';
import { MEGABYTES_PER_GIGABYTE } from './results-tsv.ts';

/** A row of somebody's results.tsv. */
export type ImportedRow = {
  readonly hypothesis: string;
  readonly verdict: Verdict['word'];
  readonly metric: number | null;
  /** In MB, as the ledger keeps it. */
  readonly memory: number | null;
  readonly commit: string | null;
  /** The fields as they stood, in the order of the columns. */
  readonly fields: readonly string[];
};

export type ImportedTable = {
  readonly columns: readonly string[];
  readonly metricName: string;
  readonly goal: 'minimize' | 'maximize';
  readonly rows: readonly ImportedRow[];
};

/** The words seen in the wild for the three verdicts; `checks_failed` is a run whose number must not count. */
const VERDICT_WORDS = new Map<string, Verdict['word']>([
  ['keep', 'keep'],
  ['kept', 'keep'],
  ['baseline', 'keep'],
  ['discard', 'discard'],
  ['discarded', 'discard'],
  ['crash', 'crash'],
  ['crashed', 'crash'],
  ['checks_failed', 'crash'],
]);

/** Columns that are not the metric's; the metric is `val_bpb`, `metric`, or the first of the others that is a number. */
const OTHER_COLUMNS = new Set([
  ...['commit', 'experiment_id', 'iteration', 'memory_gb', 'status', 'description', 'delta'],
  ...['hypothesis', 'axis'],
]);

/**
 * Reads every form of results.tsv listed in FIELD.md: columns are found by their headings, in any order and with
 * any extra ones. Throws `import_invalid` with file and line.
 */
export function parseResultsTable(
  text: string,
  fileName: string,
  goal: 'minimize' | 'maximize' | null,
): ImportedTable {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n/g, '\n')
    .split('\n');
  const columns = (lines[0] ?? '').split('\t');
  const lower = columns.map(column => column.trim().toLowerCase());
  const fail = (line: number, message: string): never => {
    throw new PawlError('import_invalid', `${fileName}:${line}: ${message}`);
  };
  if (!lower.includes('status')) {
    fail(1, 'the first line is not the heading of a results table: no tab-separated column "status".');
  }
  const metricIndex = findMetricColumn(lower, lines[1] ?? '');
  if (metricIndex < 0) fail(1, 'no column holds the metric (val_bpb or metric).');
  const rows: ImportedRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const fields = line.split('\t');
    if (fields.length < columns.length) {
      fail(index + 1, `${fields.length} fields where the heading has ${columns.length}.`);
    }
    // A tab inside the last field, the description.
    fields.splice(columns.length - 1, fields.length, fields.slice(columns.length - 1).join('\t'));
    const field = (name: string) => fields[lower.indexOf(name)]?.trim() ?? '';
    const status = field('status').toLowerCase();
    const verdict = VERDICT_WORDS.get(status) ?? fail(index + 1, `unknown status "${field('status')}".`);
    const metric = readNumber(fields[metricIndex] ?? '', verdict);
    const memory = readNumber(field('memory_gb'), 'crash');
    rows.push({
      hypothesis: field('description') || field('hypothesis') || field('experiment_id'),
      verdict,
      metric: metric === undefined ? fail(index + 1, `"${fields[metricIndex]}" is not a number.`) : metric,
      memory: memory ? memory * MEGABYTES_PER_GIGABYTE : null,
      commit: /^[0-9a-f]{4,64}$/i.test(field('commit')) ? field('commit') : null,
      fields,
    });
  }
  return {
    columns,
    metricName: columns[metricIndex]?.trim() || 'metric',
    goal: goal ?? inferGoal(rows),
    rows,
  };
}

function findMetricColumn(columns: readonly string[], firstRow: string): number {
  for (const name of ['val_bpb', 'metric']) if (columns.includes(name)) return columns.indexOf(name);
  const fields = firstRow.split('\t');
  return columns.findIndex(
    (column, index) => !OTHER_COLUMNS.has(column) && Number.isFinite(Number.parseFloat(fields[index] ?? '')),
  );
}

/** Null is "not measured": an empty field, and the zero upstream writes for a crash. Undefined is not a number. */
function readNumber(text: string, verdict: Verdict['word']): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === '-' || /^n\/?a$/i.test(trimmed)) return null;
  const value = Number(trimmed.replaceAll(',', ''));
  if (!Number.isFinite(value)) return /^nan$/i.test(trimmed) ? null : undefined;
  return value === 0 && verdict === 'crash' ? null : value;
}

/** Each keep beats the one before it, so two keeps tell the direction. */
function inferGoal(rows: readonly ImportedRow[]): 'minimize' | 'maximize' {
  const kept = rows.flatMap(row => (row.verdict === 'keep' && row.metric !== null ? [row.metric] : []));
  const first = kept[0];
  const last = kept.at(-1);
  return first !== undefined && last !== undefined && isBetter('maximize', last, first)
    ? 'maximize'
    : 'minimize';
}

/** The table as it was read: the same columns in the same order, every field as it stood. */
export function formatImportedTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [columns, ...rows].map(fields => `${fields.join('\t')}\n`).join('');
}
