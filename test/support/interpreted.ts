import { interpretTable } from '../../src/engine/import/interpret-table.ts';
import { readTable } from '../../src/engine/import/read-table.ts';

/** What a file is read as. */
export function interpret(
  name: string,
  content: Buffer | string,
  { goal = null, metric = null }: { goal?: 'minimize' | 'maximize' | null; metric?: string | null } = {},
) {
  return interpretTable(readTable(Buffer.from(content), name, metric), { goal, metric });
}

/** The table that was found, as far as tests look at it; throws where a question came instead. */
export function tableOf(found: ReturnType<typeof interpretTable>) {
  if (found.kind !== 'table') throw new Error(JSON.stringify(found));
  const { metricName, goal, goalFrom, rows, skipped } = found.table;
  return {
    metric: metricName,
    goal,
    goalFrom,
    verdicts: rows.map(row => row.word ?? row.verdict),
    numbers: rows.map(row => row.metric),
    skipped: skipped.map(({ line }) => line),
    rows,
  };
}

/** A table of tabs, written with bars. */
export const table = (...rows: readonly string[]) =>
  `${rows.map(row => row.replaceAll('|', '\t')).join('\n')}\n`;
