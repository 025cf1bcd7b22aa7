import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { PawlError } from '../../shared/errors.ts';
import type { DataPaths } from '../paths.ts';
import { translateErrors } from './database.ts';
import { tightenDataFolder } from './tighten-data-folder.ts';

export type LockHolder = {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: number;
  readonly repository: string | null;
};

export type EngineLock = {
  /** The message of {@link tightenDataFolder} when the lock was taken, for the host to show. */
  readonly tightened: string | null;
  release(): void;
};

/** Longer than another process needs to look whether the lock is held. */
const LOCK_WAIT_MS = 300;

/** The holder of the lock, according to the note beside it; null if that cannot be read. */
export function readLockHolder(paths: DataPaths): LockHolder | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(paths.lockHolder, 'utf8'));
    return isLockHolder(holder) ? holder : null;
  } catch {
    return null;
  }
}

function isLockHolder(value: unknown): value is LockHolder {
  const { pid, host, startedAt, repository } = (value ?? {}) as Record<string, unknown>;
  return (
    Number.isInteger(pid) &&
    typeof host === 'string' &&
    typeof startedAt === 'number' &&
    (repository === null || typeof repository === 'string')
  );
}

/**
 * Locks the data folder for this process until `release`. It uses SQLite's file lock on a separate file, which the
 * system releases however the process dies. Throws `engine_running`.
 */
export function takeEngineLock(paths: DataPaths, holder: LockHolder): EngineLock {
  return translateErrors(() => lockFolder(paths, holder), paths.lock);
}

/**
 * Creates the folder so that only the user can read it; call it before anything else writes there. Throws
 * `data_folder_unusable`.
 */
export function makeDataFolder({ home, ledger }: DataPaths): void {
  translateErrors(() => mkdirSync(home, { recursive: true, mode: 0o700 }), ledger);
}

function lockFolder(paths: DataPaths, holder: LockHolder): EngineLock {
  makeDataFolder(paths);
  const tightened = tightenDataFolder(paths);
  const lock = new BetterSqlite3(paths.lock, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    writeFileSync(paths.lockHolder, JSON.stringify(holder), { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw (error as { code?: unknown }).code === 'SQLITE_BUSY' ? alreadyRunning(paths) : error;
  }
  return {
    tightened,
    release() {
      rmSync(paths.lockHolder, { force: true });
      lock.exec('ROLLBACK');
      lock.close();
    },
  };
}

function alreadyRunning(paths: DataPaths): PawlError {
  const first = readLockHolder(paths);
  const since = first ? `, since ${new Date(first.startedAt).toISOString()}` : '';
  const where = first?.repository ? `, on ${first.repository}` : '';
  const who = first ? `process ${first.pid} (${first.host})${since}${where}` : 'another process';
  return new PawlError(
    'engine_running',
    `Another Pawl is running on ${paths.home}: ${who}. Stop it with "pawl stop", or set PAWL_HOME to another folder.`,
  );
}

/** Whether a process holds the lock right now. */
export function isEngineRunning(paths: DataPaths): boolean {
  let lock: BetterSqlite3.Database;
  try {
    lock = new BetterSqlite3(paths.lock, { timeout: 0, fileMustExist: true });
  } catch {
    return false;
  }
  try {
    lock.exec('BEGIN IMMEDIATE');
    lock.exec('ROLLBACK');
    return false;
  } catch {
    return true;
  } finally {
    lock.close();
  }
}
