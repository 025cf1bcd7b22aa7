import { sum } from 'd3-array';
import type { LogHit, LogPiece } from '../../shared/notebook.ts';

/** Pure parts of the log view: rows of the held pieces, the position of a hit among them, the next hit. */

/** One row. `key` stays the same while pieces are added before and after. */
export type LogRow = { readonly key: string; readonly text: string };

/** The state of a search. `words` are the requested words. */
export type LogSearch =
  | { readonly kind: 'searching'; readonly words: string }
  | {
      readonly kind: 'found';
      readonly words: string;
      readonly hits: readonly LogHit[];
      /** Whether there are more hits than these. */
      readonly isCut: boolean;
    }
  | { readonly kind: 'failed'; readonly words: string; readonly message: string };

/** The rows of all pieces in order. */
export function joinPieces(pieces: readonly LogPiece[]): readonly LogRow[] {
  return pieces.flatMap(piece => piece.lines.map((text, index) => ({ key: `${piece.from}:${index}`, text })));
}

/**
 * The pieces that stay when one was added at an end: those on its side, up to `bytes`, and always the new one. Pieces
 * of a growing log can be a few lines each, so their number says nothing about the amount.
 */
export function holdPieces(
  pieces: readonly LogPiece[],
  { keep, bytes }: { readonly keep: 'first' | 'last'; readonly bytes: number },
): readonly LogPiece[] {
  const ordered = keep === 'first' ? pieces : pieces.toReversed();
  let held = 0;
  const count = ordered.findIndex((piece, index) => {
    held += piece.to - piece.from;
    return index > 0 && held > bytes;
  });
  if (count < 0) return pieces;
  return keep === 'first' ? pieces.slice(0, count) : pieces.slice(pieces.length - count);
}

/** How many characters of a row are laid out; one line can be megabytes. */
export const MAX_ROW_CHARACTERS = 10_000;

/** A row cut to what can be shown, and how many characters are left out. */
export function cutRow(text: string): { readonly shown: string; readonly left: number } {
  if (text.length <= MAX_ROW_CHARACTERS) return { shown: text, left: 0 };
  return { shown: text.slice(0, MAX_ROW_CHARACTERS), left: text.length - MAX_ROW_CHARACTERS };
}

/** Part of a row; `isMatch` for the searched words. */
export type RowPart = { readonly start: number; readonly text: string; readonly isMatch: boolean };

/** Splits a row wherever it contains the words, ignoring case. The parts together are the row. */
export function splitByWords(text: string, words: string): readonly RowPart[] {
  const pattern = words === '' ? null : new RegExp(escapePattern(words), 'giu');
  const parts: RowPart[] = [];
  let at = 0;
  for (const match of pattern === null ? [] : text.matchAll(pattern)) {
    if (match.index > at) parts.push({ start: at, text: text.slice(at, match.index), isMatch: false });
    parts.push({ start: match.index, text: match[0], isMatch: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ start: at, text: text.slice(at), isMatch: false });
  return parts;
}

/**
 * The row that contains a hit, among the rows from `joinPieces`; null if no held piece has it. The offset alone is
 * not enough: it counts bytes of the file, and rows have no control sequences.
 */
export function locateHit(
  pieces: readonly LogPiece[],
  search: { readonly hits: readonly LogHit[]; readonly words: string; readonly isCut: boolean },
  index: number,
): number | null {
  const hit = search.hits[index];
  if (hit === undefined) return null;
  let first = 0;
  const piece = pieces.find(candidate => {
    if (hit.offset >= candidate.from && hit.offset < candidate.to) return true;
    first += candidate.lines.length;
    return false;
  });
  if (piece === undefined) return null;
  const has = new RegExp(escapePattern(search.words), 'iu');
  const rows = piece.lines.flatMap((line, row) => (has.test(line) ? [row] : []));
  const hitsHere = search.hits.filter(other => other.offset >= piece.from && other.offset < piece.to);
  // If there are as many hits as matching rows, the order identifies them, even among rows with the same text.
  if (hitsHere.length === rows.length) {
    const row = rows[hitsHere.indexOf(hit)];
    if (row !== undefined) return first + row;
  }
  const shown = hit.line.replace(/…$/, '').trim();
  const same = rows.filter(row => shown !== '' && piece.lines[row]?.includes(shown));
  const candidates = same.length > 0 ? same : rows;
  const expected = expectedRow(piece, hit.offset);
  const nearest = candidates.reduce<number | null>(
    (best, row) => (best === null || Math.abs(row - expected) < Math.abs(best - expected) ? row : best),
    null,
  );
  return first + (nearest ?? expected);
}

/** Where a byte would be if every row had lost the same share of its bytes. */
function expectedRow(piece: LogPiece, offset: number): number {
  const total = sum(piece.lines, line => line.length + 1);
  const target = ((offset - piece.from) / Math.max(1, piece.to - piece.from)) * total;
  let passed = 0;
  for (const [row, line] of piece.lines.entries()) {
    passed += line.length + 1;
    if (passed > target) return row;
  }
  return Math.max(0, piece.lines.length - 1);
}

/** The hit after (or before) `current`, wrapping around. Null if there are none; the first step goes to an end. */
export function stepHit(current: number | null, count: number, step: 1 | -1): number | null {
  if (count === 0) return null;
  if (current === null) return step === 1 ? 0 : count - 1;
  return (current + step + count) % count;
}

/** The first hit to show: the one at or after the reader's byte, else the last before it. */
export function firstHit(hits: readonly LogHit[], offset: number): number | null {
  if (hits.length === 0) return null;
  const index = hits.findIndex(hit => hit.offset >= offset);
  return index < 0 ? hits.length - 1 : index;
}

/** The search's status text. `current` counts from 0. */
export function describeSearch(search: LogSearch | null, current: number | null): string {
  if (search === null) return '';
  if (search.kind === 'searching') return 'Searching …';
  if (search.kind === 'failed') return search.message;
  const count = search.hits.length;
  if (count === 0) return 'No hits';
  const total = `${count.toLocaleString('en')}${search.isCut ? '+' : ''}`;
  if (current === null) return count === 1 && !search.isCut ? '1 hit' : `${total} hits`;
  return `${(current + 1).toLocaleString('en')} of ${total}`;
}

/** The row's approximate byte offset, because rows have lost their control sequences. */
export function offsetOfRow(pieces: readonly LogPiece[], row: number): number {
  let first = 0;
  for (const piece of pieces) {
    if (row < first + piece.lines.length)
      return piece.from + ((row - first) / Math.max(1, piece.lines.length)) * (piece.to - piece.from);
    first += piece.lines.length;
  }
  return pieces.at(-1)?.to ?? 0;
}

function escapePattern(words: string): string {
  return words.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
