import type { EngineEvent } from '../../shared/events.ts';
import type { Notice } from '../../shared/settings.ts';
import type { Database } from './database.ts';

/** `held` was not sent, because there were too many. */
export type MessageState = 'waiting' | 'held' | 'sent' | 'failed';

export type MessageRow = {
  readonly id: number;
  readonly at: number;
  readonly event: EngineEvent['type'];
  readonly notice: Notice;
  /** How often sending was tried. */
  readonly tries: number;
};

export type MessageStore = ReturnType<typeof messageStore>;

/** Messages for the user away from this machine, sent or not. */
export function messageStore(database: Database) {
  const add = database.prepare(
    'INSERT INTO message (study_id, at, event, notice, state) VALUES (?, ?, ?, ?, ?)',
  );
  const firstWaiting = database.prepare<[], Omit<MessageRow, 'notice'> & { notice: string }>(
    "SELECT id, at, event, notice, tries FROM message WHERE state = 'waiting' ORDER BY id LIMIT 1",
  );
  const countWaiting = database.prepare<[], { count: number }>(
    "SELECT count(*) AS count FROM message WHERE state = 'waiting'",
  );
  const countSince = database.prepare<[number], { count: number }>(
    "SELECT count(*) AS count FROM message WHERE at > ? AND state <> 'held'",
  );
  const heldBefore = database.prepare<[{ id: number }], { count: number }>(
    `SELECT count(*) AS count FROM message WHERE state = 'held' AND id < @id AND id >
       coalesce((SELECT max(id) FROM message WHERE state <> 'held' AND id < @id), 0)`,
  );
  const forget = database.prepare("DELETE FROM message WHERE state <> 'waiting' AND at < ?");
  const tried = database.prepare('UPDATE message SET tries = tries + 1 WHERE id = ?');
  const settle = database.prepare('UPDATE message SET state = ?, settled_at = ?, error = ? WHERE id = ?');
  const newest = database.prepare<[], { at: number; state: MessageState; error: string | null }>(
    'SELECT settled_at AS at, state, error FROM message WHERE settled_at IS NOT NULL ORDER BY settled_at DESC, id DESC LIMIT 1',
  );

  return {
    add(notice: Notice, event: EngineEvent['type'], state: 'waiting' | 'held', at: number): void {
      add.run(notice.study, at, event, JSON.stringify(notice), state);
    },
    /** Deletes messages that are no longer needed. */
    forgetBefore(at: number): void {
      forget.run(at);
    },
    /** The oldest waiting message. */
    firstWaiting(): MessageRow | null {
      const row = firstWaiting.get();
      return row ? { ...row, notice: JSON.parse(row.notice) } : null;
    },
    countWaiting(): number {
      return countWaiting.get()?.count ?? 0;
    },
    /** How many messages were made after `at` and not held back. */
    countSince(at: number): number {
      return countSince.get(at)?.count ?? 0;
    },
    /** How many were held back between a message and the previous one. */
    heldBefore(id: number): number {
      return heldBefore.get({ id })?.count ?? 0;
    },
    /** Counts one more try. */
    tried(id: number): void {
      tried.run(id);
    },
    settle(id: number, state: 'sent' | 'failed', at: number, error: string | null): void {
      settle.run(state, at, error, id);
    },
    /** The message that was last sent or given up. */
    newest(): { readonly at: number; readonly isSent: boolean; readonly error: string | null } | null {
      const row = newest.get();
      return row ? { at: row.at, isSent: row.state === 'sent', error: row.error } : null;
    },
  };
}
