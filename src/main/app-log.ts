import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';

/** A larger log is renamed at the next start and replaces the previous old one. */
const MAX_BYTES = 2 * 1024 * 1024;

/**
 * The log of the desktop host, `logs/desktop.log` in the data folder. It gets few lines, so each is written
 * synchronously.
 */
export function openLog(folder: string): Logger {
  const file = join(folder, 'logs', 'desktop.log');
  try {
    if (statSync(file).size > MAX_BYTES) renameSync(file, `${file}.1`);
  } catch {
    // There is no log yet.
  }
  return pino({ base: { pid: process.pid } }, pino.destination({ dest: file, mkdir: true, sync: true }));
}
