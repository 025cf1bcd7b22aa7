import type { Database } from './database.ts';

export type SavedInstructions = { readonly id: number; readonly at: number; readonly text: string };

export type InstructionsStore = ReturnType<typeof instructionsStore>;

/** Versions of the instructions that the user wrote in Pawl. The commit's file is version 0 and is not stored. */
export function instructionsStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO instructions_version (study_id, id, at, text) VALUES (?, ?, ?, ?)',
  );
  const latest = database.prepare<[string], SavedInstructions>(
    'SELECT id, at, text FROM instructions_version WHERE study_id = ? ORDER BY id DESC LIMIT 1',
  );
  const byId = database.prepare<[string, number], SavedInstructions>(
    'SELECT id, at, text FROM instructions_version WHERE study_id = ? AND id = ?',
  );
  const list = database.prepare<[string], { id: number; at: number; bytes: number }>(
    `SELECT id, at, length(CAST(text AS BLOB)) AS bytes FROM instructions_version WHERE study_id = ? ORDER BY id DESC`,
  );

  return {
    /** Call it inside `ledger.write`. */
    add(studyId: string, text: string, at: number): number {
      const id = (latest.get(studyId)?.id ?? 0) + 1;
      add.run(studyId, id, at, text);
      return id;
    },
    latest(studyId: string): SavedInstructions | null {
      return latest.get(studyId) ?? null;
    },
    get(studyId: string, id: number): SavedInstructions | null {
      return byId.get(studyId, id) ?? null;
    },
    /** Newest first, without their texts. */
    list(studyId: string): readonly { readonly id: number; readonly at: number; readonly bytes: number }[] {
      return list.all(studyId);
    },
  };
}
