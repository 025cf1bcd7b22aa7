import { execFile } from 'node:child_process';
import { mkdtemp, open, realpath, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import BetterSqlite3 from 'better-sqlite3';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

async function mount(megabytes: number): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pawl-disk-')));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  } catch (error) {
    await rmdir(folder);
    throw error;
  }
  return folder;
}

async function unmount(folder: string): Promise<void> {
  // Lazy, because a process that the test ended may not be gone yet.
  await run('umount', ['--lazy', folder]);
  await rmdir(folder);
}

/** Why this machine cannot give a test its own disk; null if it can. */
export const NO_SMALL_DISK: string | null = await mount(1).then(
  folder => unmount(folder).then(() => null),
  () => 'mounting a tmpfs needs the rights of root',
);

/** An empty disk of this size that is removed after the test. */
export async function smallDisk(megabytes: number): Promise<string> {
  const folder = await mount(megabytes);
  onTestFinished(() => unmount(folder));
  return folder;
}

export async function makeReadOnly(folder: string): Promise<void> {
  await run('mount', ['-o', 'remount,ro', folder]);
}

/**
 * Shell lines for two runs beside each other: the first fills the disk, and holds it for as long as a run may that is asked to
 * end, so that the other one meets it full. A third run does neither.
 */
export function fillBeside(place: string): string {
  return `if mkdir ${place}/noisy 2>/dev/null; then
  trap '' TERM
  until [ -e ${place}/quiet ]; do sleep 0.05; done
  cat /dev/zero > checkpoint
  while :; do sleep 1; done
elif mkdir ${place}/quiet 2>/dev/null; then sleep 600; fi`;
}

const FILLER = 'filler.bin';
const PAGE = Buffer.alloc(4096, 1);

/** Fills every free page. */
export async function fillDisk(folder: string): Promise<void> {
  const file = await open(join(folder, FILLER), 'a');
  try {
    for (const block of [Buffer.alloc(256 * 1024, 1), PAGE]) {
      for (;;) {
        const { bytesWritten } = await file.write(block);
        if (bytesWritten < block.length) break;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    await file.write(PAGE).catch(() => {});
  } finally {
    await file.close();
  }
}

export async function freeDisk(folder: string): Promise<void> {
  await rm(join(folder, FILLER));
}

/** Gives the ledger of a running engine a write-ahead log in which it can continue when its disk is full. */
export function makeRoomInLedger(home: string): void {
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'));
  try {
    database.exec(
      'CREATE TABLE room (data BLOB); INSERT INTO room VALUES (zeroblob(1500000)); DROP TABLE room',
    );
    database.pragma('wal_checkpoint(RESTART)');
  } finally {
    database.close();
  }
}
