import type { Database } from './database.ts';

/** A metric's value that the user typed in after the training, and its source. */
export type LateNumber = { readonly value: number; readonly source: string; readonly at: number };

export type LateNumberStore = ReturnType<typeof lateNumberStore>;

export function lateNumberStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO late_number (study_id, n, at, value, source) VALUES (?, ?, ?, ?, ?)',
  );
  const latest = database.prepare<[string, number], LateNumber>(
    'SELECT value, source, at FROM late_number WHERE study_id = ? AND n = ? ORDER BY id DESC LIMIT 1',
  );
  return {
    add(studyId: string, n: number, { value, source, at }: LateNumber): void {
      add.run(studyId, n, at, value, source);
    },
    /** The last one typed in; null if there is none. */
    get(studyId: string, n: number): LateNumber | null {
      return latest.get(studyId, n) ?? null;
    },
  };
}
