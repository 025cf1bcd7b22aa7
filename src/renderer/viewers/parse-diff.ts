import type { ChangeData, HunkData } from 'react-diff-view';
import { readQuotedPath } from './quoted-path.ts';

/**
 * Reads git's unified diffs. The parser that comes with react-diff-view splits paths at spaces, loses binary files
 * and mode changes, and trusts line numbers; this one follows the counts in the hunk headers. Combined diffs (`--cc`)
 * are not supported.
 */

/** One file of a diff. */
export type DiffFile = {
  /** Unique in the diff. */
  readonly id: string;
  /** The path after the change, or before it if the file was removed. */
  readonly path: string;
  /** The path before, if it was different. */
  readonly oldPath: string | null;
  readonly kind: 'add' | 'delete' | 'modify' | 'rename' | 'copy';
  readonly isBinary: boolean;
  /** Sentences about changes that the lines do not show: modes, line endings, a missing final newline. */
  readonly facts: readonly string[];
  /** Whether characters in the changed lines can show the code in another order than it runs. */
  readonly isReordered: boolean;
  readonly hunks: readonly HunkData[];
  readonly added: number;
  readonly removed: number;
};

/** How many characters of a line are kept; a page cannot lay out a line of megabytes. */
export const MAX_LINE_CHARACTERS = 5_000;

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
const BIDIRECTIONAL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/**
 * The files of a unified diff from git. A diff that ends in the middle of a file is read as far as it goes. Null if
 * the text is something else; the caller then shows it unchanged.
 */
export function parseDiff(diff: string): readonly DiffFile[] | null {
  const lines = diff.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const files: DiffFile[] = [];
  let at = 0;
  while (at < lines.length && lines[at]?.trim() === '') at += 1;
  while (at < lines.length) {
    const read = readFile(lines, at, files.length);
    if (read === null) return null;
    files.push(read.file);
    at = read.next;
  }
  return files;
}

type Header = {
  kind: DiffFile['kind'];
  oldPath: string | null;
  newPath: string | null;
  oldMode: string | null;
  newMode: string | null;
  isBinary: boolean;
  facts: string[];
};

function readFile(lines: readonly string[], start: number, index: number) {
  const first = lines[start] ?? '';
  if (!first.startsWith('diff --git ')) return null;
  const isLast = (at: number) => at >= lines.length - 1;
  const both = readBothPaths(first.slice('diff --git '.length));
  const header: Header = {
    kind: 'modify',
    oldPath: both?.[0] ?? null,
    newPath: both?.[1] ?? null,
    oldMode: null,
    newMode: null,
    isBinary: false,
    facts: [],
  };
  let at = start + 1;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.startsWith('diff --git ') || line.startsWith('@@ ')) break;
    if (line.startsWith('GIT binary patch')) {
      header.isBinary = true;
      while (at < lines.length && !(lines[at] ?? '').startsWith('diff --git ')) at += 1;
      break;
    }
    // A cut diff can end in any word of a header.
    if (!readHeaderLine(line, header) && !isLast(at)) return null;
    at += 1;
  }

  const hunks: HunkData[] = [];
  const content = { added: 0, removed: 0, cutLines: 0, isReordered: false, crlf: 0, lf: 0 };
  const noLineBreak = { old: false, new: false };
  while (at < lines.length && (lines[at] ?? '').startsWith('@@ ')) {
    const match = HUNK.exec(lines[at] ?? '');
    if (match === null) {
      if (!isLast(at)) return null;
      at += 1;
      break;
    }
    const [head, oldStart, oldLines, newStart, newLines] = match;
    let oldLine = Number(oldStart);
    let newLine = Number(newStart);
    let oldLeft = Number(oldLines ?? 1);
    let newLeft = Number(newLines ?? 1);
    const hunk: HunkData = {
      content: lines[at] ?? head,
      oldStart: oldLine,
      newStart: newLine,
      oldLines: oldLeft,
      newLines: newLeft,
      changes: [],
    };
    at += 1;
    while (at < lines.length) {
      const line = lines[at] ?? '';
      const sign = line.charAt(0);
      if (sign === '\\') {
        const last = hunk.changes.at(-1);
        if (last?.type !== 'insert') noLineBreak.old = true;
        if (last?.type !== 'delete') noLineBreak.new = true;
      } else if (oldLeft <= 0 && newLeft <= 0) {
        break;
      } else if (sign === '+' && newLeft > 0) {
        hunk.changes.push({ type: 'insert', isInsert: true, lineNumber: newLine, content: line.slice(1) });
        newLine += 1;
        newLeft -= 1;
        content.added += 1;
      } else if (sign === '-' && oldLeft > 0) {
        hunk.changes.push({ type: 'delete', isDelete: true, lineNumber: oldLine, content: line.slice(1) });
        oldLine += 1;
        oldLeft -= 1;
        content.removed += 1;
      } else if ((sign === ' ' || sign === '') && oldLeft > 0 && newLeft > 0) {
        // Mail programs and editors remove the space of an empty context line.
        const change = { oldLineNumber: oldLine, newLineNumber: newLine, content: line.slice(1) };
        hunk.changes.push({ type: 'normal', isNormal: true, ...change });
        oldLine += 1;
        newLine += 1;
        oldLeft -= 1;
        newLeft -= 1;
      } else return null;
      at += 1;
    }
    for (const change of hunk.changes) settleLine(change, content);
    hunks.push(hunk);
  }
  if (at < lines.length && !(lines[at] ?? '').startsWith('diff --git ')) return null;

  const { facts } = header;
  if (header.isBinary) facts.push('Binary files differ: nothing to show.');
  if (header.oldMode !== null && header.newMode !== null)
    facts.push(`Mode changed from ${header.oldMode} to ${header.newMode}.`);
  if (content.crlf > 0 && content.lf > 0) facts.push('Line ends change: some lines end in CRLF, some in LF.');
  if (noLineBreak.old && noLineBreak.new) facts.push('No line break at the end, before and after.');
  else if (noLineBreak.old) facts.push('The line break at the end is new.');
  else if (noLineBreak.new && header.kind !== 'add') facts.push('The line break at the end was removed.');
  else if (noLineBreak.new) facts.push('No line break at the end.');
  if (content.cutLines > 0)
    facts.push(
      `${content.cutLines === 1 ? 'One line is' : `${content.cutLines} lines are`} longer than ${MAX_LINE_CHARACTERS.toLocaleString('en')} characters and cut here.`,
    );
  if (hunks.length === 0 && facts.length === 0)
    facts.push(header.kind === 'add' || header.kind === 'delete' ? 'Empty file.' : 'No line changed.');

  const newPath = header.newPath ?? header.oldPath ?? first.slice('diff --git '.length);
  const file: DiffFile = {
    id: `${index}:${newPath}`,
    path: newPath,
    oldPath: header.oldPath !== null && header.oldPath !== newPath ? header.oldPath : null,
    kind: header.kind,
    isBinary: header.isBinary,
    facts,
    isReordered: content.isReordered,
    hunks,
    added: content.added,
    removed: content.removed,
  };
  return { file, next: at };
}

type Content = {
  cutLines: number;
  isReordered: boolean;
  crlf: number;
  lf: number;
};

/** Removes characters that a table cannot show, and counts them. */
function settleLine(change: ChangeData, content: Content): void {
  const isChanged = change.type !== 'normal';
  if (change.content.endsWith('\r')) {
    change.content = change.content.slice(0, -1);
    if (isChanged) content.crlf += 1;
  } else if (isChanged) content.lf += 1;
  if (isChanged && BIDIRECTIONAL.test(change.content)) content.isReordered = true;
  if (change.content.length > MAX_LINE_CHARACTERS) {
    change.content = `${change.content.slice(0, MAX_LINE_CHARACTERS)} …`;
    content.cutLines += 1;
  }
}

/** False if the line is not part of a header. */
function readHeaderLine(line: string, header: Header): boolean {
  const after = (prefix: string) => (line.startsWith(prefix) ? line.slice(prefix.length) : null);
  const from = after('rename from ') ?? after('copy from ');
  const to = after('rename to ') ?? after('copy to ');
  if (from !== null || to !== null) {
    header.kind = line.startsWith('rename') ? 'rename' : 'copy';
    if (from !== null) header.oldPath = unquoted(from);
    if (to !== null) header.newPath = unquoted(to);
    return true;
  }
  if (after('new file mode ') !== null) {
    header.kind = 'add';
    if (line.endsWith('100755')) header.facts.push('New file, executable.');
    else if (line.endsWith('120000')) header.facts.push('New symbolic link.');
    return true;
  }
  if (after('deleted file mode ') !== null) {
    header.kind = 'delete';
    return true;
  }
  const oldMode = after('old mode ');
  const newMode = after('new mode ');
  if (oldMode !== null || newMode !== null) {
    if (oldMode !== null) header.oldMode = oldMode;
    if (newMode !== null) header.newMode = newMode;
    return true;
  }
  const before = after('--- ');
  const now = after('+++ ');
  if (before !== null) {
    const path = markerPath(before);
    if (path !== null) header.oldPath = path;
    else header.kind = 'add';
    return true;
  }
  if (now !== null) {
    const path = markerPath(now);
    if (path !== null) header.newPath = path;
    else header.kind = 'delete';
    return true;
  }
  if (after('Binary files ') !== null) {
    header.isBinary = true;
    return true;
  }
  return /^(index |similarity index |dissimilarity index )/.test(line);
}

/** The path of a `---` or `+++` line; null for /dev/null. */
function markerPath(text: string): string | null {
  if (text.trimEnd() === '/dev/null') return null;
  // Git ends a path with spaces with a tab, so that patch(1) knows where it stops.
  return withoutPrefix(text.startsWith('"') ? unquoted(text) : text.replace(/\t$/, ''));
}

/** Both paths of a `diff --git` line. Unquoted paths with spaces can be told apart only if they are the same. */
function readBothPaths(text: string): readonly [string, string] | null {
  const first = readQuotedPath(text);
  if (first !== null) {
    const rest = first.rest.replace(/^ /, '');
    return [withoutPrefix(first.path), withoutPrefix(unquoted(rest))];
  }
  if (text.endsWith('"')) {
    const start = text.indexOf(' "');
    const second = start < 0 ? null : readQuotedPath(text.slice(start + 1));
    if (second !== null) return [withoutPrefix(text.slice(0, start)), withoutPrefix(second.path)];
  }
  const middle = (text.length - 1) / 2;
  const before = withoutPrefix(text.slice(0, middle));
  const after = withoutPrefix(text.slice(middle + 1));
  if (text.charAt(middle) === ' ' && before === after) return [before, after];
  const words = text.split(' ');
  const [one, two] = words;
  return words.length === 2 && one !== undefined && two !== undefined
    ? [withoutPrefix(one), withoutPrefix(two)]
    : null;
}

function unquoted(text: string): string {
  return readQuotedPath(text)?.path ?? text;
}

function withoutPrefix(path: string): string {
  return path.replace(/^[ab]\//, '');
}
