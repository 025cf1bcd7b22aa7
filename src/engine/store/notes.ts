import type { Database } from './database.ts';

export type Note = { readonly at: number; readonly text: string };
export type SearchHit = { readonly studyId: string; readonly n: number; readonly hypothesis: string };

export type NoteStore = ReturnType<typeof noteStore>;

/** The user's words and tags on experiments, and the full-text search over hypotheses, rationales, notes and crashes. */
export function noteStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO note (experiment_id, at, text) SELECT id, ?, ? FROM experiment WHERE study_id = ? AND n = ?',
  );
  const list = database.prepare<[string, number], Note>(
    `SELECT at, text FROM note JOIN experiment e ON e.id = experiment_id WHERE study_id = ? AND n = ? ORDER BY note.id`,
  );
  const newest = database.prepare<[], { id: number }>('SELECT coalesce(max(id), 0) AS id FROM note');
  const after = database.prepare<[number], { id: number; studyId: string; n: number }>(
    `SELECT note.id, study_id AS studyId, n FROM note JOIN experiment e ON e.id = experiment_id
     WHERE note.id > ? ORDER BY note.id`,
  );
  const dropTags = database.prepare(
    'DELETE FROM tag WHERE experiment_id = (SELECT id FROM experiment WHERE study_id = ? AND n = ?)',
  );
  const addTag = database.prepare(
    'INSERT INTO tag (experiment_id, position, tag) SELECT id, ?, ? FROM experiment WHERE study_id = ? AND n = ?',
  );
  const searchStems = database.prepare<[string, string, number], SearchHit>(
    `SELECT study_id AS studyId, n, coalesce(hypothesis, '') AS hypothesis
     FROM (SELECT rowid AS id, rank FROM experiment_text WHERE experiment_text MATCH ?) hit
     JOIN experiment USING (id) WHERE study_id = ? ORDER BY hit.rank LIMIT ?`,
  );
  const searchTyped = database.prepare<
    [{ studyId: string; all: string; whole: string | null; typed: string; terms: string; limit: number }],
    SearchHit
  >(
    // The unfinished word is searched among stems and also among words, because stems lack the ends of words.
    `SELECT study_id AS studyId, n, coalesce(hypothesis, '') AS hypothesis
     FROM (
       SELECT rowid AS id, rank FROM experiment_text WHERE experiment_text MATCH @all
       UNION ALL
       SELECT rowid, rank FROM experiment_word WHERE experiment_word MATCH @typed AND (@whole IS NULL
         OR rowid IN (SELECT rowid FROM experiment_text WHERE experiment_text MATCH @whole))
       UNION ALL
       SELECT e.id, 0 FROM experiment e JOIN run ON run.experiment_id = e.id
       WHERE e.study_id = @studyId AND e.verdict = 'crash' AND run.crash IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM json_each(@terms) WHERE instr(lower(run.crash ->> '$.message'), value) = 0)
     ) hit
     JOIN experiment USING (id) WHERE study_id = @studyId GROUP BY id ORDER BY min(hit.rank) LIMIT @limit`,
  );

  return {
    add(studyId: string, n: number, text: string, at: number): void {
      add.run(at, text, studyId, n);
    },
    list(studyId: string, n: number): readonly Note[] {
      return list.all(studyId, n);
    },
    /** Id of the last note of all studies; 0 if there is none. */
    newest(): number {
      return newest.get()?.id ?? 0;
    },
    /** Experiments with notes after that one, oldest first. */
    after(id: number): readonly { readonly id: number; readonly studyId: string; readonly n: number }[] {
      return after.all(id);
    },
    /** Replaces an experiment's tags, without duplicates. Call it inside `ledger.write`. */
    setTags(studyId: string, n: number, tags: readonly string[]): void {
      dropTags.run(studyId, n);
      for (const [position, tag] of [...new Set(tags)].entries()) addTag.run(position, tag, studyId, n);
    },
    /** Best match first, for any of the words that are long enough to be meaningful. */
    searchAny(studyId: string, words: string, limit: number): readonly SearchHit[] {
      const terms = words.match(/[\p{L}\p{N}_]{3,}/gu);
      if (!terms) return [];
      return searchStems.all(terms.map(term => `"${term}"`).join(' OR '), studyId, limit);
    },
    /** Best match first. Every word must occur; the last one may be unfinished. There are no operators. */
    search(studyId: string, words: string, limit: number): readonly SearchHit[] {
      const terms = words.match(/[\p{L}\p{N}_]+/gu);
      if (!terms) return [];
      const quoted = terms.map(term => `"${term}"`);
      return searchTyped.all({
        studyId,
        all: `${quoted.join(' ')}*`,
        whole: quoted.slice(0, -1).join(' ') || null,
        typed: `${quoted.at(-1)}*`,
        terms: JSON.stringify(terms.map(term => term.toLowerCase())),
        limit,
      });
    },
  };
}
