import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { PawlError } from '../../shared/errors.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import { timeStatements } from './slow-statements.ts';

export type Database = BetterSqlite3.Database;

/** How long a write waits for another process's, such as a terminal command's request to stop. */
const BUSY_TIMEOUT_MS = 10_000;
const BUSY_RETRY_MS = 10;

/**
 * If a parameter matters for an index or an order, SQLite plans the statement anew for each bound value
 * (better-sqlite3 is built with STAT4). Planning takes several times as long as running, so frequent statements use
 * `+?` instead of `?`.
 *
 * Opens the ledger and brings its schema up to date, in one transaction. Throws `ledger_newer` for a file of a later
 * Pawl, `ledger_damaged` for a file that is not a ledger, `disk_full`.
 */
export function openDatabase(path: string, migrations: readonly Migration[] = MIGRATIONS): Database {
  return translateErrors(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new BetterSqlite3(path);
    try {
      database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      switchToWal(database);
      database.pragma('synchronous = FULL');
      database.pragma('foreign_keys = ON');
      migrate(database, migrations, path);
      timeStatements(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  }, path);
}

/**
 * Switching to WAL needs exclusive access, and SQLite does not wait for that: if processes create a ledger at the
 * same moment, all but one are told that it is busy. Waiting blocks, but only in a ledger's first milliseconds.
 */
function switchToWal(database: Database): void {
  const giveUpAt = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      database.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const isBusy = (error as { code?: unknown }).code === 'SQLITE_BUSY';
      if (!isBusy || performance.now() > giveUpAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY_MS);
    }
  }
}

function migrate(database: Database, migrations: readonly Migration[], path: string): void {
  const newest = migrations.at(-1)?.version ?? 0;
  const readVersion = () => database.pragma('user_version', { simple: true }) as number;
  if (readVersion() > newest) {
    throw new PawlError(
      'ledger_newer',
      `${path} was written by a newer Pawl (schema ${readVersion()}; this one knows ${newest}). Update Pawl to open it.`,
    );
  }
  if (readVersion() === newest) return;
  database
    .transaction(() => {
      for (const { version, sql } of migrations) {
        // Another process may have migrated while this one waited for the lock.
        if (version <= readVersion()) continue;
        database.exec(sql);
        database.pragma(`user_version = ${version}`);
      }
    })
    .immediate();
}

/** Error codes of a full disk, from SQLite and from the file system. */
const FULL = /^(?:SQLITE_FULL|SQLITE_IOERR.*|ENOSPC|EDQUOT)$/;
/** Error codes of an unusable data folder. */
const UNUSABLE =
  /^(?:SQLITE_CANTOPEN.*|SQLITE_READONLY.*|SQLITE_PERM|ENOENT|EEXIST|ENOTDIR|EACCES|EPERM|EROFS|ELOOP|ENAMETOOLONG)$/;
const DAMAGED = /^(?:SQLITE_CORRUPT.*|SQLITE_NOTADB)$/;

/** Renames errors of SQLite and the file system that a user can act on. */
export function translateErrors<T>(work: () => T, path: string): T {
  try {
    return work();
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? '');
    const folder = dirname(path);
    if (FULL.test(code)) {
      throw new PawlError(
        'disk_full',
        `The disk that holds ${folder} is full (${code}). Make room, then "pawl resume".`,
        {
          cause: error,
        },
      );
    }
    if (UNUSABLE.test(code)) {
      throw new PawlError(
        'data_folder_unusable',
        `The data folder ${folder} cannot be used (${code}): it must be a folder you can write to. Set PAWL_HOME to another.`,
        { cause: error },
      );
    }
    if (DAMAGED.test(code)) {
      throw new PawlError(
        'ledger_damaged',
        `${path} is not a readable ledger (${code}). Move it away to start fresh; nothing was changed.`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** The value in a column of JSON; null if the column is. */
export function decode<T>(json: string | null): T | null {
  return json === null ? null : (JSON.parse(json) as T);
}
