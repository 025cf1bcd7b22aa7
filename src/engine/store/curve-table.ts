import type { SeriesPoint } from '../metrics/output-reader.ts';
import type { Database } from './database.ts';
import { namesIn, packPoints, unpackPoints } from './series.ts';

/** The curves of all runs in one of the two tables, packed in chunks. */
export function curveTable(database: Database, table: 'series_chunk' | 'telemetry_chunk') {
  const add = database.prepare(
    `INSERT INTO ${table} (run_id, position, points, names, data)
     VALUES (@run, (SELECT coalesce(max(position) + 1, 0) FROM ${table} WHERE run_id = @run), @points, @names, @data)`,
  );
  const ofRun = `FROM ${table} JOIN run ON run.id = run_id JOIN experiment e ON e.id = experiment_id
     WHERE study_id = ? AND n = ? AND k = ? ORDER BY position`;
  const chunks = database.prepare<[string, number, number], { data: Buffer }>(`SELECT data ${ofRun}`);
  const names = database.prepare<[string, number, number], { names: string | null; data: Buffer | null }>(
    `SELECT names, CASE WHEN names IS NULL THEN data END AS data ${ofRun}`,
  );
  return {
    add(run: number, points: readonly SeriesPoint[]): void {
      if (points.length === 0) return;
      const told = JSON.stringify(namesIn(points));
      add.run({ run, points: points.length, names: told, data: packPoints(points) });
    },
    read(studyId: string, n: number, k: number): readonly SeriesPoint[] {
      return chunks.all(studyId, n, k).flatMap(row => unpackPoints(row.data));
    },
    chunks(studyId: string, n: number, k: number): readonly Buffer[] {
      return chunks.all(studyId, n, k).map(row => row.data);
    },
    names(studyId: string, n: number, k: number): readonly string[] {
      const all = names.all(studyId, n, k).flatMap(row => {
        if (row.names !== null) return JSON.parse(row.names) as string[];
        return row.data ? namesIn(unpackPoints(row.data)) : [];
      });
      return [...new Set(all)];
    },
  };
}
