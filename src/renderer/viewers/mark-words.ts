import { sum } from 'd3-array';
import type { ChangeData, HunkData } from 'react-diff-view';

/** Characters of a line that changed. */
export type WordMark = { readonly lineNumber: number; readonly start: number; readonly length: number };

/** What changed inside the lines of a hunk, on both sides. */
export type WordMarks = { readonly old: readonly WordMark[]; readonly new: readonly WordMark[] };

/** For more words, the comparison costs more than the marks are worth. */
const MAX_WORDS = 300;
/** Lines that share a smaller part of their words count as two lines, not as one that changed. */
const MIN_SHARED = 0.35;

/**
 * Pairs the removed and added lines of each block in order and marks the words that differ. Line numbers are those of
 * the changes.
 */
export function markWords(hunk: HunkData): WordMarks {
  const marks = { old: [] as WordMark[], new: [] as WordMark[] };
  for (const { removed, added } of findBlocks(hunk.changes)) {
    const pairs = Math.min(removed.length, added.length);
    for (let index = 0; index < pairs; index += 1) {
      const before = removed[index];
      const after = added[index];
      if (
        before === undefined ||
        after === undefined ||
        !('lineNumber' in before) ||
        !('lineNumber' in after)
      )
        continue;
      const ranges = compareWords(before.content, after.content);
      for (const [start, end] of ranges.old)
        marks.old.push({ lineNumber: before.lineNumber, start, length: end - start });
      for (const [start, end] of ranges.new)
        marks.new.push({ lineNumber: after.lineNumber, start, length: end - start });
    }
  }
  return marks;
}

/** The changes with each removed line next to the added line that replaced it, for the split view. */
export function pairChanges(changes: readonly ChangeData[]): ChangeData[] {
  const paired: ChangeData[] = [];
  let removed: ChangeData[] = [];
  let added: ChangeData[] = [];
  const flush = () => {
    for (let index = 0; index < Math.max(removed.length, added.length); index += 1) {
      const before = removed[index];
      const after = added[index];
      if (before !== undefined) paired.push(before);
      if (after !== undefined) paired.push(after);
    }
    removed = [];
    added = [];
  };
  for (const change of changes) {
    if (change.type === 'delete') {
      if (added.length > 0) flush();
      removed.push(change);
    } else if (change.type === 'insert') added.push(change);
    else {
      flush();
      paired.push(change);
    }
  }
  flush();
  return paired;
}

function findBlocks(changes: readonly ChangeData[]) {
  const blocks: { removed: ChangeData[]; added: ChangeData[] }[] = [];
  let block: { removed: ChangeData[]; added: ChangeData[] } | null = null;
  for (const change of changes) {
    if (change.type === 'normal') {
      block = null;
      continue;
    }
    if (block === null) {
      block = { removed: [], added: [] };
      blocks.push(block);
    }
    (change.type === 'delete' ? block.removed : block.added).push(change);
  }
  return blocks;
}

type Range = readonly [start: number, end: number];
const NONE = { old: [] as readonly Range[], new: [] as readonly Range[] };

/** Ranges of characters that differ between two lines, in whole words; none if the lines have little in common. */
export function compareWords(
  before: string,
  after: string,
): { readonly old: readonly Range[]; readonly new: readonly Range[] } {
  if (before === after) return NONE;
  const old = splitWords(before);
  const now = splitWords(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  )
    tail += 1;
  const oldMiddle = old.slice(head, old.length - tail);
  const newMiddle = now.slice(head, now.length - tail);
  const common =
    oldMiddle.length > MAX_WORDS || newMiddle.length > MAX_WORDS
      ? { old: new Set<number>(), new: new Set<number>() }
      : longestCommon(oldMiddle, newMiddle);
  const isKept = (index: number, length: number, middle: ReadonlySet<number>) =>
    index < head || index >= length - tail || middle.has(index - head);
  const shared = sum(
    old.filter((_, index) => isKept(index, old.length, common.old)),
    inkOf,
  );
  const size = Math.max(sum(old, inkOf), sum(now, inkOf));
  if (size === 0 || shared / size < MIN_SHARED) return NONE;
  const ranges = {
    old: rangesOf(old, index => isKept(index, old.length, common.old)),
    new: rangesOf(now, index => isKept(index, now.length, common.new)),
  };
  const inked = { old: trimRanges(before, ranges.old), new: trimRanges(after, ranges.new) };
  // Spaces are marked only if nothing else changed, because beside a changed word they are just alignment.
  return inked.old.length + inked.new.length > 0 ? inked : ranges;
}

/** Removes spaces at both ends of each range, and ranges of only spaces. */
function trimRanges(line: string, ranges: readonly Range[]): readonly Range[] {
  return ranges.flatMap(([start, end]) => {
    const text = line.slice(start, end);
    const from = start + text.length - text.trimStart().length;
    return text.trim() === '' ? [] : [[from, from + text.trim().length] as const];
  });
}

function splitWords(line: string): readonly string[] {
  return line.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

/** Spaces do not make two lines similar. */
function inkOf(word: string): number {
  return word.trim().length;
}

function longestCommon(old: readonly string[], now: readonly string[]) {
  const width = now.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1)
    for (let column = now.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] =
        old[row] === now[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const common = { old: new Set<number>(), new: new Set<number>() };
  let row = 0;
  let column = 0;
  while (row < old.length && column < now.length) {
    if (old[row] === now[column]) {
      common.old.add(row);
      common.new.add(column);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return common;
}

/** Ranges of the words that are not kept; a space between two of them joins them. */
function rangesOf(words: readonly string[], isKept: (index: number) => boolean): readonly Range[] {
  const ranges: [number, number][] = [];
  let offset = 0;
  let gapIsBlank = false;
  words.forEach((word, index) => {
    const end = offset + word.length;
    if (isKept(index)) gapIsBlank &&= word.trim() === '';
    else {
      const last = ranges.at(-1);
      if (last !== undefined && gapIsBlank) last[1] = end;
      else ranges.push([offset, end]);
      gapIsBlank = true;
    }
    offset = end;
  });
  return ranges;
}
