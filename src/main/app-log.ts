import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';

/** A log that has grown beyond this is put aside at the next start, in the place of the one before. */
const MAX_BYTES = 2 * 1024 * 1024;

/** The log of the desktop host, `logs/desktop.log` in the data folder. Lines are few, so each is written at once. */
export function openLog(folder: string): Logger {
  const file = join(folder, 'logs', 'desktop.log');
  try {
    if (statSync(file).size > MAX_BYTES) renameSync(file, `${file}.1`);
  } catch {
    // There is none yet.
  }
  return pino({ base: { pid: process.pid } }, pino.destination({ dest: file, mkdir: true, sync: true }));
}
