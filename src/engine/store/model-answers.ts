import type { Database } from './database.ts';

export type ModelAnswerStore = ReturnType<typeof modelAnswerStore>;

/** Trainings' questions to a model and its answers, kept so that each question is paid for once per study. */
export function modelAnswerStore(database: Database) {
  const ask = database.prepare(
    `INSERT INTO model_answer (study_id, digest, at, question) VALUES (?, ?, ?, ?)
     ON CONFLICT (study_id, digest) DO NOTHING`,
  );
  const answer = database.prepare('UPDATE model_answer SET answer = ? WHERE study_id = ? AND digest = ?');
  const find = database.prepare<[string, string], { answer: Buffer | null }>(
    'SELECT answer FROM model_answer WHERE study_id = ? AND digest = ?',
  );
  const size = database.prepare<[string], { bytes: number }>(
    `SELECT coalesce(sum(length(question) + coalesce(length(answer), 0)), 0) AS bytes FROM model_answer
     WHERE study_id = ?`,
  );
  return {
    /** Call it before the question is asked. A question that was asked before and not answered stays as it is. */
    ask(studyId: string, digest: string, question: Buffer, at: number): void {
      ask.run(studyId, digest, at, question);
    },
    answer(studyId: string, digest: string, text: Buffer): void {
      answer.run(text, studyId, digest);
    },
    /** Null if it was not answered. */
    find(studyId: string, digest: string): Buffer | null {
      return find.get(studyId, digest)?.answer ?? null;
    },
    /** The size of everything a study has kept. */
    bytes(studyId: string): number {
      return size.get(studyId)?.bytes ?? 0;
    },
  };
}
