import type { Memory, MemoryAuthor } from '../../shared/proposers/memory.ts';
import type { Database } from './database.ts';

export type SavedMemory = {
  readonly id: number;
  readonly at: number;
  readonly author: MemoryAuthor;
  readonly text: string;
};

export type MemoryStore = ReturnType<typeof memoryStore>;

/** What a study's proposers read about earlier studies, in all versions; the last one counts. */
export function memoryStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO memory_version (study_id, id, at, author, text) VALUES (?, ?, ?, ?, ?)',
  );
  const latest = database.prepare<[string], SavedMemory>(
    'SELECT id, at, author, text FROM memory_version WHERE study_id = ? ORDER BY id DESC LIMIT 1',
  );
  const byId = database.prepare<[string, number], SavedMemory>(
    'SELECT id, at, author, text FROM memory_version WHERE study_id = ? AND id = ?',
  );
  const list = database.prepare<[string], Memory['versions'][number]>(
    `SELECT id, at, author, length(CAST(text AS BLOB)) AS bytes FROM memory_version WHERE study_id = ?
     ORDER BY id DESC`,
  );

  return {
    /** Call it inside `ledger.write`. */
    add(studyId: string, author: MemoryAuthor, text: string, at: number): SavedMemory {
      const id = (latest.get(studyId)?.id ?? 0) + 1;
      add.run(studyId, id, at, author, text);
      return { id, at, author, text };
    },
    latest(studyId: string): SavedMemory | null {
      return latest.get(studyId) ?? null;
    },
    get(studyId: string, id: number): SavedMemory | null {
      return byId.get(studyId, id) ?? null;
    },
    /** Newest first, without their texts. */
    list(studyId: string): Memory['versions'] {
      return list.all(studyId);
    },
  };
}
