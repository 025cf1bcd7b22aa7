import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { PawlError } from '../../../shared/errors.ts';
import { MAX_FILE_BYTES } from './tracked-run.ts';

/**
 * Reads another program's database from a copy that includes the write-ahead log, because that program may be
 * writing; creates no file next to the original. Rejects with `import_invalid`.
 */
export async function withSqliteCopy<T>(path: string, read: (database: Database) => T): Promise<T> {
  const name = basename(path);
  const folder = await mkdtemp(join(tmpdir(), 'pawl-import-'));
  try {
    for (const suffix of ['', '-wal']) {
      const found = await stat(path + suffix).catch(() => null);
      if (!found?.isFile()) continue;
      if (found.size > MAX_FILE_BYTES) {
        throw new PawlError(
          'import_invalid',
          `${name} has ${found.size} bytes; at most ${MAX_FILE_BYTES} are read.`,
        );
      }
      await copyFile(path + suffix, join(folder, `copy.db${suffix}`));
    }
    const database = new BetterSqlite3(join(folder, 'copy.db'), { fileMustExist: true });
    try {
      database.pragma('trusted_schema = OFF');
      database.pragma('query_only = ON');
      return read(database);
    } finally {
      database.close();
    }
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    throw new PawlError('import_invalid', `${name} cannot be read: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The columns of a plain table; empty if there is none of that name. Views and computed columns do not count, because
 * they could run for ever.
 */
export function columnsOf(database: Database, table: string): ReadonlySet<string> {
  const kind = database
    .prepare<[string], { type: string; sql: string | null }>(
      'SELECT type, sql FROM sqlite_master WHERE name = ?',
    )
    .get(table);
  if (kind?.type !== 'table' || /^\s*CREATE\s+VIRTUAL/i.test(kind.sql ?? '')) return new Set();
  const columns = database
    .prepare<[string], { name: string; hidden: number }>('SELECT name, hidden FROM pragma_table_xinfo(?)')
    .all(table);
  return new Set(columns.flatMap(({ name, hidden }) => (hidden === 0 ? [name] : [])));
}
