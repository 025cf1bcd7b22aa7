import type { DebriefSummary } from '../../shared/debrief/debrief.ts';
import type { Database } from './database.ts';

export type SummaryStore = ReturnType<typeof summaryStore>;

/** Models' summaries of debriefs; the newest of each counts. */
export function summaryStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO summary (study_id, sitting_from, at, model, finished, sentences, dropped) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const newest = database.prepare<
    [string, number | null],
    Omit<DebriefSummary, 'sentences'> & { sentences: string }
  >(
    `SELECT at, model, finished, sentences, dropped FROM summary WHERE study_id = ? AND sitting_from IS ?
     ORDER BY id DESC LIMIT 1`,
  );

  return {
    /**
     * Call it inside `ledger.write`.
     * @param from when the sitting began; null for the whole study
     */
    add(studyId: string, from: number | null, summary: DebriefSummary): void {
      const { at, model, finished, sentences, dropped } = summary;
      add.run(studyId, from, at, model, finished, JSON.stringify(sentences), dropped);
    },
    newest(studyId: string, from: number | null): DebriefSummary | null {
      const row = newest.get(studyId, from);
      return row ? { ...row, sentences: JSON.parse(row.sentences) } : null;
    },
  };
}
