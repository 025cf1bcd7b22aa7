import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_NUMBER } from '../src/renderer/viewers/bound-sequences.ts';
import { fromEditorText, smallestChange, toEditorText } from '../src/renderer/viewers/document-change.ts';
import {
  cutRow,
  describeSearch,
  firstHit,
  holdPieces,
  joinPieces,
  locateHit,
  MAX_ROW_CHARACTERS,
  offsetOfRow,
  splitByWords,
  stepHit,
} from '../src/renderer/viewers/log-lines.ts';
import {
  feedScreen,
  MAX_WAITING_BYTES,
  PIECE_CHARACTERS,
  skippedLine,
} from '../src/renderer/viewers/terminal-feed.ts';
import type { LogHit, LogPiece } from '../src/shared/notebook.ts';

const piece = (from: number, to: number, lines: readonly string[]): LogPiece => ({
  from,
  to,
  size: 1_000,
  lines,
  isComplete: true,
});

const search = (words: string, hits: readonly LogHit[]) => ({ words, hits, isCut: false });

describe('a hit in the log', () => {
  test('is found by its order among rows of the same text', () => {
    const pieces = [piece(0, 100, ['step 1', 'nan', 'nan']), piece(100, 200, ['nan', 'end'])];
    const found = search('NaN', [
      { offset: 40, line: 'nan' },
      { offset: 80, line: 'nan' },
      { offset: 100, line: 'nan' },
    ]);
    expect([0, 1, 2, 3].map(index => locateHit(pieces, found, index))).toEqual([1, 2, 3, null]);
  });

  test('is found by its text and its place where the order says nothing', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `loss ${index % 10}`);
    const pieces = [piece(1_000, 2_000, lines)];
    expect(locateHit(pieces, search('loss', [{ offset: 1_560, line: 'loss 5' }]), 0)).toBe(55);
    expect(locateHit(pieces, search('loss', [{ offset: 1_560, line: 'loss 5…' }]), 0)).toBe(55);
  });

  test('is nowhere while its piece is not held', () => {
    expect(locateHit([piece(0, 10, ['a'])], search('a', [{ offset: 10, line: 'a' }]), 0)).toBeNull();
    expect(locateHit([], search('a', [{ offset: 0, line: 'a' }]), 0)).toBeNull();
  });

  test('has a next one and a previous one, round the end', () => {
    expect(stepHit(null, 0, 1)).toBeNull();
    expect([stepHit(null, 3, 1), stepHit(null, 3, -1)]).toEqual([0, 2]);
    expect([stepHit(2, 3, 1), stepHit(0, 3, -1), stepHit(1, 3, 1)]).toEqual([0, 2, 2]);
  });

  test('comes first that stands at or after the place of the reader', () => {
    const hits = [10, 20, 30].map(offset => ({ offset, line: '' }));
    expect([0, 20, 21, 31].map(offset => firstHit(hits, offset))).toEqual([0, 1, 2, 2]);
    expect(firstHit([], 0)).toBeNull();
  });

  test('is counted in words', () => {
    const found = { kind: 'found', words: 'a', hits: [{ offset: 0, line: 'a' }], isCut: false } as const;
    expect(describeSearch(null, null)).toBe('');
    expect(describeSearch({ kind: 'searching', words: 'a' }, null)).toBe('Searching …');
    expect(describeSearch({ kind: 'failed', words: 'a', message: 'Gone.' }, null)).toBe('Gone.');
    expect(describeSearch({ ...found, hits: [] }, null)).toBe('No hits');
    expect(describeSearch(found, null)).toBe('1 hit');
    expect(describeSearch({ ...found, isCut: true }, 0)).toBe('1 of 1+');
  });
});

describe('the rows of a log', () => {
  test('keep their keys when pieces come in above', () => {
    const later = piece(50, 90, ['b', 'c']);
    const alone = joinPieces([later]).map(row => row.key);
    expect(joinPieces([piece(0, 50, ['a']), later]).map(row => row.key)).toEqual([
      expect.any(String),
      ...alone,
    ]);
    expect(offsetOfRow([piece(0, 50, ['a']), later], 2)).toBe(70);
    expect(offsetOfRow([], 5)).toBe(0);
  });

  test('are held up to so many bytes on the side where some were added', () => {
    const pieces = [piece(0, 100, ['a']), piece(100, 110, ['b']), piece(110, 120, ['c'])];
    expect(holdPieces(pieces, { keep: 'last', bytes: 25 })).toEqual(pieces.slice(1));
    expect(holdPieces(pieces, { keep: 'first', bytes: 105 })).toEqual(pieces.slice(0, 1));
    expect(holdPieces(pieces, { keep: 'first', bytes: 1 })).toEqual(pieces.slice(0, 1));
    expect(holdPieces(pieces, { keep: 'last', bytes: 1_000 })).toBe(pieces);
    expect(holdPieces([], { keep: 'last', bytes: 1 })).toEqual([]);
  });

  test('are split at the words, which are no pattern, and lose nothing', () => {
    expect(splitByWords('loss (NaN) nan', '(nan)').filter(part => part.isMatch)).toEqual([
      { start: 5, text: '(NaN)', isMatch: true },
    ]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, words) => {
        const parts = splitByWords(text, words);
        expect(parts.map(part => part.text).join('')).toBe(text);
      }),
    );
  });

  test('are cut where they are too long to lay out', () => {
    expect(cutRow('abc')).toEqual({ shown: 'abc', left: 0 });
    expect(cutRow('x'.repeat(MAX_ROW_CHARACTERS + 7)).left).toBe(7);
  });
});

describe('output for the terminal', () => {
  const screenOf = () => {
    const written: string[] = [];
    const waiting: (() => void)[] = [];
    return {
      written,
      write: (text: string, done?: () => void) => {
        written.push(text);
        if (done !== undefined) waiting.push(done);
      },
      paint: () => {
        for (const done of waiting.splice(0)) done();
      },
    };
  };
  const megabytes = (count: number) => new Uint8Array(count * 1024 * 1024);
  const encode = (text: string) => new TextEncoder().encode(text);

  test('says how much was skipped before it', () => {
    const screen = screenOf();
    feedScreen(screen)(encode('a'), 3_355_443);
    expect(screen.written).toEqual([skippedLine(3_355_443), 'a']);
    expect(skippedLine(3_355_443)).toContain('… 3.2 MB not shown …');
  });

  test('is left out while the screen cannot follow, and that is said even where nothing comes after', () => {
    const screen = screenOf();
    const feed = feedScreen(screen);
    feed(megabytes(3), 0);
    feed(megabytes(2), 0);
    expect(screen.written.join('').length).toBe(3 * 1024 * 1024);
    screen.paint();
    expect(screen.written.at(-1)).toBe(skippedLine(2 * 1024 * 1024));
  });

  test('passes a single piece of any size, in small ones between which the page can paint', () => {
    const screen = screenOf();
    feedScreen(screen)(new Uint8Array(MAX_WAITING_BYTES + 1), 0);
    expect(screen.written.join('').length).toBe(MAX_WAITING_BYTES + 1);
    expect(Math.max(...screen.written.map(text => text.length))).toBe(PIECE_CHARACTERS);
  });

  test('has no number in a sequence that would keep the screen busy, also where the sequence comes in pieces', () => {
    const screen = screenOf();
    const feed = feedScreen(screen);
    for (const piece of ['a\x1b[9', '9', '999Sb']) feed(encode(piece), 0);
    expect(screen.written.join('')).toBe(`a\x1b[${MAX_NUMBER}Sb`);
  });

  test('goes on after a gap as if no sequence had been begun before it', () => {
    const screen = screenOf();
    const feed = feedScreen(screen);
    feed(encode('a\x1b[9'), 0);
    feed(encode('999 b'), 7);
    expect(screen.written).toEqual(['a\x1b[', skippedLine(7), '999 b']);
  });

  test('waits for what it takes to paint: lines to move count more than their few bytes', () => {
    const screen = screenOf();
    const feed = feedScreen(screen);
    feed(encode('\x1b[255S'.repeat(4_096)), 0);
    feed(encode('left out'), 0);
    screen.paint();
    expect(screen.written.at(-1)).toBe(skippedLine(8));
  });
});

describe('a text that changes under the editor', () => {
  test('is replaced only where it differs', () => {
    expect(smallestChange('same', 'same')).toBeNull();
    expect(smallestChange('a b c', 'a X c')).toEqual({ from: 2, to: 3, insert: 'X' });
    expect(smallestChange('aa', 'aaa')).toEqual({ from: 2, to: 2, insert: 'a' });
  });

  test('becomes the new text, and no character is cut in half', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '😀', '😁', '🨀', '\n'), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const before = left.join('');
        const after = right.join('');
        const change = smallestChange(before, after);
        if (change === null) {
          expect(before).toBe(after);
          return;
        }
        expect(before.slice(0, change.from) + change.insert + before.slice(change.to)).toBe(after);
        expect(change.insert.isWellFormed()).toBe(true);
        expect(before.slice(change.from, change.to).isWellFormed()).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('keeps the line ends most of its lines have', () => {
    for (const text of ['', 'a', 'a\nb\n', 'a\r\nb\r\n', '\r\n'])
      expect(fromEditorText(toEditorText(text))).toBe(text);
    expect(toEditorText('a\r\nb\r\nc\n').lineEnd).toBe('\r\n');
    expect(toEditorText('a\r\nb\nc\n').lineEnd).toBe('\n');
  });
});
