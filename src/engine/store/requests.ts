import type { Database } from './database.ts';

export type RequestKind = 'pause' | 'continue' | 'stop' | 'stop_now';

/** Another process's request to the running engine; `stop_run` ends the training of experiment `n`. */
export type Request = { readonly kind: RequestKind } | { readonly kind: 'stop_run'; readonly n: number };

type Row = { readonly id: number; readonly kind: RequestKind | 'stop_run'; readonly n: number | null };

export type RequestStore = ReturnType<typeof requestStore>;

export function requestStore(database: Database) {
  const add = database.prepare('INSERT INTO request (at, kind, n) VALUES (?, ?, ?)');
  const take = database.prepare<[], Row>('DELETE FROM request RETURNING id, kind, n');
  const any = database.prepare<[], { one: number }>('SELECT 1 AS one FROM request LIMIT 1');
  return {
    add(request: Request, at: number): void {
      add.run(at, request.kind, 'n' in request ? request.n : null);
    },
    isEmpty(): boolean {
      return any.get() === undefined;
    },
    /** Returns the waiting requests, oldest first, and removes them. */
    take(): readonly Request[] {
      return take
        .all()
        .sort((a, b) => a.id - b.id)
        .map(({ kind, n }) => (kind === 'stop_run' ? { kind, n: n ?? 0 } : { kind }));
    },
  };
}
