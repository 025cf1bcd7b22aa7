import type { Database } from './database.ts';

/** What another process asks of the running engine. */
export type RequestKind = 'pause' | 'continue' | 'stop' | 'stop_now';

export type RequestStore = ReturnType<typeof requestStore>;

export function requestStore(database: Database) {
  const add = database.prepare('INSERT INTO request (at, kind) VALUES (?, ?)');
  const take = database.prepare<[], { id: number; kind: RequestKind }>(
    'DELETE FROM request RETURNING id, kind',
  );
  const any = database.prepare<[], { one: number }>('SELECT 1 AS one FROM request LIMIT 1');
  return {
    add(kind: RequestKind, at: number): void {
      add.run(at, kind);
    },
    isEmpty(): boolean {
      return any.get() === undefined;
    },
    /** Returns the waiting requests, oldest first, and forgets them. */
    take(): readonly RequestKind[] {
      return take
        .all()
        .sort((a, b) => a.id - b.id)
        .map(row => row.kind);
    },
  };
}
