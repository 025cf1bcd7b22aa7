import { type Database, decode } from './database.ts';

/** A proposal that was rejected before it cost a run. */
export type Refusal = {
  readonly n: number;
  readonly at: number;
  readonly reason: string;
  readonly message: string;
  readonly hypothesis: string | null;
  readonly memo: unknown;
};

/** Whether the user rejected it, rather than the engine. */
export function isOfUser({ reason }: Pick<Refusal, 'reason'>): boolean {
  return reason === 'rejected' || reason === 'sent_back';
}

export type RefusalStore = ReturnType<typeof refusalStore>;

export function refusalStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO refusal (study_id, n, at, reason, message, hypothesis, memo) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const list = database.prepare<[string], Omit<Refusal, 'memo'> & { memo: string | null }>(
    'SELECT n, at, reason, message, hypothesis, memo FROM refusal WHERE study_id = ? ORDER BY id',
  );
  return {
    add(studyId: string, refusal: Refusal): void {
      const { n, at, reason, message, hypothesis, memo } = refusal;
      add.run(studyId, n, at, reason, message, hypothesis, JSON.stringify(memo ?? null));
    },
    list(studyId: string): readonly Refusal[] {
      return list.all(studyId).map(row => ({ ...row, memo: decode(row.memo) }));
    },
  };
}
