import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PawlError } from '../../shared/errors.ts';
import type { LogHit, LogPiece, OutputPiece } from '../../shared/notebook.ts';
import { MAX_LINE_CHARACTERS, stripControl } from '../metrics/line-splitter.ts';

/** How much of a log a window holds at a time. */
const PIECE_BYTES = 256 * 1024;
const SEARCH_HITS = 1_000;
/** A shown hit is a line, not a page. */
const HIT_CHARACTERS = 400;

/** How much earlier output a terminal gets when it opens. */
const BACKLOG_BYTES = 256 * 1024;
const OUTPUT_CHUNK_BYTES = 64 * 1024;
/** If a window is further behind than this, output is skipped: nobody could have read it. */
const MAX_BEHIND_BYTES = 1024 * 1024;
const OUTPUT_MS = 200;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

async function openLog(path: string): Promise<FileHandle> {
  return open(path, 'r').catch(error => {
    if (error.code === 'ENOENT') {
      throw new PawlError('experiment_not_found', 'The log of this run is missing.', { cause: error });
    }
    throw error;
  });
}

async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, from);
  return buffer.subarray(0, bytesRead);
}

function isBreak(byte: number | undefined): boolean {
  return byte === NEWLINE || byte === RETURN;
}

function toLines(bytes: Buffer): readonly string[] {
  if (bytes.length === 0) return [];
  const lines = bytes.toString('utf8').split(/\r\n|[\r\n]/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map(line => stripControl(line.slice(0, MAX_LINE_CHARACTERS)));
}

/** The end of the last whole UTF-8 character that begins before `end`; the bytes after it are an incomplete character. */
function endOfCharacter(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3 && back < end; back += 1) {
    const byte = bytes[end - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? end - back : end;
  }
  return end;
}

/**
 * Whole lines of the log, from byte `from` (null: its end) up to byte `to`. A line longer than a piece is cut. A live
 * run's unfinished last line is left for later. Rejects with `experiment_not_found`.
 */
export async function readLogPiece(
  path: string,
  { from, to }: { readonly from: number | null; readonly to?: number | undefined },
  isLive: boolean,
): Promise<LogPiece> {
  const file = await openLog(path).catch(error => {
    // A run is in the ledger a moment before its log is on disk.
    if (isLive && error instanceof PawlError) return null;
    throw error;
  });
  if (!file) return { from: 0, to: 0, size: 0, lines: [], isComplete: false };
  try {
    const { size } = await file.stat();
    const wanted = Math.min(from ?? Math.max(0, size - PIECE_BYTES), size);
    // One extra byte in front shows whether the piece begins at a line.
    const start = Math.max(0, wanted - 1);
    const room = Math.min(PIECE_BYTES + 1, Math.max(wanted, to ?? size) - start);
    const bytes = await readAt(file, start, room);
    let first = wanted - start;
    if (first > 0 && !isBreak(bytes[0])) {
      const found = bytes.findIndex(isBreak);
      if (found >= 0 && found < bytes.length - 1) first = found + 1;
    }
    // In `\r\n`, both bytes belong to the line before.
    if (first > 0 && bytes[first - 1] === RETURN && bytes[first] === NEWLINE) first += 1;
    let end = bytes.length;
    const isEnd = start + end >= size;
    if (!isEnd || isLive) {
      let last = end;
      while (last > first && !isBreak(bytes[last - 1])) last -= 1;
      if (last > first) end = last;
      else if (end > PIECE_BYTES) end = endOfCharacter(bytes, end);
      else if (isEnd) end = first;
    }
    return {
      from: start + first,
      to: start + end,
      size,
      lines: toLines(bytes.subarray(first, end)),
      isComplete: !isLive,
    };
  } finally {
    await file.close();
  }
}

/** Lines that contain the words, ignoring case, from the start of the log. */
export async function searchLog(
  path: string,
  words: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly hits: readonly LogHit[]; readonly isCut: boolean }> {
  const file = await openLog(path);
  const wanted = words.toLowerCase();
  const hits: LogHit[] = [];
  try {
    let offset = 0;
    let rest = Buffer.alloc(0);
    /** Whether the line that `rest` belongs to is already a hit. */
    let isFound = false;
    for (;;) {
      signal?.throwIfAborted();
      const chunk = await readAt(file, offset + rest.length, PIECE_BYTES);
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const isEnd = chunk.length === 0;
      let start = 0;
      const look = (end: number) => {
        if (isFound || hits.length > SEARCH_HITS) return;
        const line = stripControl(bytes.toString('utf8', start, end));
        isFound = line.toLowerCase().includes(wanted);
        if (isFound) hits.push({ offset: offset + start, line: line.slice(0, HIT_CHARACTERS) });
      };
      for (let index = 0; index < bytes.length; index += 1) {
        if (!isBreak(bytes[index])) continue;
        look(index);
        isFound = false;
        start = index + 1;
      }
      const isLongLine = start === 0 && bytes.length >= PIECE_BYTES;
      if (isEnd || isLongLine) look(bytes.length);
      if (hits.length > SEARCH_HITS) return { hits: hits.slice(0, SEARCH_HITS), isCut: true };
      if (isEnd) return { hits, isCut: false };
      // Drop what was searched, except a tail that may be the start of the words.
      if (isLongLine) start = bytes.length - Math.min(bytes.length, 4 * words.length);
      rest = Buffer.from(bytes.subarray(start));
      offset += start;
    }
  } finally {
    await file.close();
  }
}

/** Waits for the log of a live run, which is in the ledger a moment before its log is on disk. */
async function openLiveLog(
  path: string,
  isLive: () => boolean,
  signal: AbortSignal | undefined,
): Promise<FileHandle> {
  for (;;) {
    const wasLive = isLive();
    const file = await openLog(path).catch(error => {
      if (wasLive && error instanceof PawlError) return null;
      throw error;
    });
    if (file) return file;
    await delay(OUTPUT_MS, undefined, { signal, ref: false });
  }
}

/**
 * Yields a run's output, from shortly before now until `isLive` is false and everything was read. Rejects with
 * `experiment_not_found`, or with an `AbortError`.
 */
export async function* followOutput(
  path: string,
  isLive: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<OutputPiece> {
  const file = await openLiveLog(path, isLive, signal);
  try {
    let { size } = await file.stat();
    let at = Math.max(0, size - BACKLOG_BYTES);
    let skipped = at;
    for (;;) {
      // Ask before reading, so that what was written just before the end is still read.
      const wasLive = isLive();
      ({ size } = await file.stat());
      if (size - at > MAX_BEHIND_BYTES) {
        skipped += size - at - BACKLOG_BYTES;
        at = size - BACKLOG_BYTES;
      }
      const bytes = await readAt(file, at, OUTPUT_CHUNK_BYTES);
      if (bytes.length > 0) {
        yield { data: bytes.toString('base64'), skipped };
        at += bytes.length;
        skipped = 0;
      } else if (!wasLive) return;
      await delay(OUTPUT_MS, undefined, { signal, ref: false });
    }
  } finally {
    await file.close();
  }
}
