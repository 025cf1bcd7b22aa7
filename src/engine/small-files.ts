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

/** Up to so many bytes a file is read or written at once: that takes microseconds, and by the thread pool ten times as long. */
export const SMALL_BYTES = 64 * 1024;

/** The longest that such work holds everything else up before the rest has its turn. */
const TURN_MS = 5;

/**
 * The first bytes of a file, read at once; null where it cannot be read, and where its path is a link. It never waits, whatever a
 * program put in the file's place meanwhile: a pipe has no bytes.
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

/** A plain file, at once where it is small; null where it cannot be read. @param found what lies there, where that is known */
export async function readWhole(path: string, found = statNow(path)): Promise<Buffer | null> {
  if (!found?.isFile()) return null;
  const bytes = Number(found.size);
  return bytes <= SMALL_BYTES ? readAtOnce(path, bytes) : readFile(path).catch(() => null);
}

/** Whether there is a file, and no link, with exactly this content. */
export function hasContentNow(path: string, content: string): boolean {
  // One byte more tells a longer file.
  return readAtOnce(path, Buffer.byteLength(content) + 1)?.toString('utf8') === content;
}

/** Null for what is not there, or cannot be looked at. */
export function statNow(path: string | Buffer): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch {
    return null;
  }
}

/**
 * Writes a file that must not be there yet, at once where it is small.
 * @param flush whether it is to be on the disk then, for which nothing else waits
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

/** Has everything heard that has come, a signal to stop for instance, before work that is done at once: it is heard between two turns. */
export async function hearOthers(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** Returns what lets everything else have its turn where work at once has taken long; to be called between two pieces of it. */
export function takeTurns(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < TURN_MS) return;
    await nextTurn();
    began = performance.now();
  };
}
