import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Up to this size a file is read or written synchronously: that takes microseconds, and ten times as long in the
 * thread pool.
 */
export const SMALL_BYTES = 64 * 1024;

/** After this much synchronous work, everything else gets a turn. */
const TURN_MS = 5;

/**
 * The first bytes of a file, read synchronously; null if it cannot be read, or its path is a link. Never blocks,
 * whatever a program put in the file's place: a pipe counts as empty.
 */
export function readAtOnce(path: string | Buffer, maxBytes: number): Buffer | null {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const content = Buffer.allocUnsafe(maxBytes);
    let length = 0;
    for (let read = -1; read !== 0 && length < maxBytes; length += read)
      read = readSync(file, content, length, maxBytes - length, null);
    return content.subarray(0, length);
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

/**
 * Reads a plain file, synchronously if it is small; null if it cannot be read.
 * @param found its stat, if known
 */
export async function readWhole(path: string, found = statNow(path)): Promise<Buffer | null> {
  if (!found?.isFile()) return null;
  const bytes = Number(found.size);
  return bytes <= SMALL_BYTES ? readAtOnce(path, bytes) : readFile(path).catch(() => null);
}

/** Whether a file, not a link, exists with exactly this content. */
export function hasContentNow(path: string, content: string): boolean {
  // Reading one byte more shows if the file is longer.
  return readAtOnce(path, Buffer.byteLength(content) + 1)?.toString('utf8') === content;
}

/** Null if there is nothing, or it cannot be examined. */
export function statNow(path: string | Buffer): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch {
    return null;
  }
}

/**
 * Writes a file that must not exist yet, synchronously if it is small.
 * @param flush whether to wait until it is on the disk; this never blocks the engine
 */
export async function writeNew(
  path: string,
  content: Buffer,
  { mode = 0o666, flush = false }: { readonly mode?: number; readonly flush?: boolean } = {},
): Promise<void> {
  const isSmall = content.length <= SMALL_BYTES && !flush;
  if (isSmall) writeFileSync(path, content, { flag: 'wx', mode });
  else await writeFile(path, content, { flag: 'wx', mode, flush });
}

/**
 * Lets pending events be handled, for instance a request to stop, before synchronous work. Events are handled between
 * two turns.
 */
export async function hearOthers(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/**
 * Returns a function to call between two pieces of synchronous work: if that has taken long, it lets everything else
 * have a turn.
 */
export function takeTurns(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < TURN_MS) return;
    await nextTurn();
    began = performance.now();
  };
}
