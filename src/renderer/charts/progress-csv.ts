import type { ProgressRow } from '../../shared/charts/progress-model.ts';
import { toCsv } from '../../shared/csv.ts';

/** The rows as CSV. Times are ISO 8601 in UTC. */
export function progressCsv(rows: readonly ProgressRow[], metricName: string): string {
  return toCsv([
    ['experiment', 'time', 'verdict', metricName, 'hypothesis'],
    ...rows.map(row => [
      row.n,
      Number.isFinite(row.at) ? new Date(row.at).toISOString() : '',
      row.word,
      row.metric,
      row.hypothesis,
    ]),
  ]);
}
