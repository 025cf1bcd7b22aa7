import { channel } from 'node:diagnostics_channel';
import type { Database } from 'better-sqlite3';

/** A slower statement delays the loop and the window. */
const SLOW_MS = 20;
const SHOWN_CHARACTERS = 200;

export type SlowStatement = { readonly statement: string; readonly milliseconds: number };

const slow = channel('pawl:slow-statement');

/** Reports every slow statement of this process from now on. Returns a function that stops this. */
export function onSlowStatement(tell: (slow: SlowStatement) => void): () => void {
  const listener = (message: unknown) => tell(message as SlowStatement);
  slow.subscribe(listener);
  return () => slow.unsubscribe(listener);
}

/** Times all statements that are prepared from now on. */
export function timeStatements(database: Database): void {
  const prepare = database.prepare.bind(database);
  Object.assign(database, { prepare: (sql: string) => timed(prepare(sql), sql) });
}

type Statement = ReturnType<Database['prepare']>;

function timed(statement: Statement, sql: string): Statement {
  for (const method of ['run', 'get', 'all'] as const) {
    const plain = statement[method];
    const timing = (...values: unknown[]) => {
      const began = performance.now();
      try {
        return Reflect.apply(plain, statement, values);
      } finally {
        const milliseconds = performance.now() - began;
        if (milliseconds >= SLOW_MS && slow.hasSubscribers) {
          const told = sql.replace(/\s+/g, ' ').trim().slice(0, SHOWN_CHARACTERS);
          slow.publish({ statement: told, milliseconds } satisfies SlowStatement);
        }
      }
    };
    Object.assign(statement, { [method]: timing });
  }
  return statement;
}
