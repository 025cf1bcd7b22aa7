import type { Mark } from '../../shared/notebook.ts';
import type { Database } from './database.ts';

export type MarkStore = ReturnType<typeof markStore>;

/** Events in a study between its experiments: sittings, steering notes, new instructions. */
export function markStore(database: Database) {
  const columns = 'id, at, n, kind, text, host';
  const add = database.prepare(
    `INSERT INTO mark (study_id, n, at, kind, text, host)
     SELECT @studyId, coalesce(max(n) + 1, 0), @at, @kind, @text, @host FROM experiment WHERE study_id = @studyId`,
  );
  const byId = database.prepare<[number], Mark>(`SELECT ${columns} FROM mark WHERE id = ?`);
  const list = database.prepare<[string], Mark>(`SELECT ${columns} FROM mark WHERE study_id = ? ORDER BY id`);
  const after = database.prepare<[string, number], Mark>(
    `SELECT ${columns} FROM mark WHERE study_id = ? AND id > ? ORDER BY id`,
  );
  const ofKind = database.prepare<[string, string], Mark>(
    `SELECT ${columns} FROM mark WHERE study_id = ? AND kind = ? ORDER BY id`,
  );
  const newestOfKind = database.prepare<[string, string], Mark>(
    `SELECT ${columns} FROM mark WHERE study_id = ? AND kind = ? ORDER BY id DESC LIMIT 1`,
  );
  const newest = database.prepare<[], { id: number }>('SELECT coalesce(max(id), 0) AS id FROM mark');
  const newerOfKind = database.prepare<[string, number], Mark & { readonly study: string }>(
    `SELECT study_id AS study, ${columns} FROM mark WHERE kind = ? AND id > ? ORDER BY id`,
  );

  return {
    /**
     * Adds a mark before the next experiment.
     * @param host that it is about
     */
    add(studyId: string, kind: Mark['kind'], text: string, at: number, host: string | null = null): Mark {
      const id = Number(add.run({ studyId, kind, text, at, host }).lastInsertRowid);
      const mark = byId.get(id);
      if (!mark) throw new Error(`mark ${id} is not in the ledger`);
      return mark;
    },
    /** Oldest first. */
    list(studyId: string): readonly Mark[] {
      return list.all(studyId);
    },
    /** Written after the mark `id`, oldest first. */
    after(studyId: string, id: number): readonly Mark[] {
      return after.all(studyId, id);
    },
    /** Id of the last mark of all studies. */
    newest(): number {
      return newest.get()?.id ?? 0;
    },
    /** Of all studies, oldest first. */
    newerOfKind(kind: Mark['kind'], id: number): readonly (Mark & { readonly study: string })[] {
      return newerOfKind.all(kind, id);
    },
    newestOfKind(studyId: string, kind: Mark['kind']): Mark | null {
      return newestOfKind.get(studyId, kind) ?? null;
    },
    ofKind(studyId: string, kind: Mark['kind']): readonly Mark[] {
      return ofKind.all(studyId, kind);
    },
  };
}
