/** A line of a file, with the comment on it. */
export type SourceLine = {
  readonly start: number;
  readonly text: string;
  /** From the comment's mark on; null if there is none. */
  readonly comment: string | null;
  /** Whether the line consists only of the comment. */
  readonly isComment: boolean;
};

/** Longer lines contain data, so their comments are not read. */
const MAX_LINE_CHARACTERS = 1_000;
/** A line for the preprocessor of C. After a space, other words begin comments of other languages. */
const DIRECTIVE =
  /^\s*#(?:(?:include|define|undef|if|ifdef|ifndef|elif|else|endif|pragma|error)\b|\s+define\s+[A-Z][A-Z0-9_]*\s)/;
const FULL_COMMENT = /^\s*(?:#|\/\/|\/\*|\*|--|;)/;

/**
 * Splits a file into lines and finds their comments.
 * @param comments where comments begin, if known; null looks for the marks of many languages
 */
export function splitLines(source: string, comments: readonly number[] | null): readonly SourceLine[] {
  const lines: SourceLine[] = [];
  let start = 0;
  let next = 0;
  for (const text of source.split('\n')) {
    const end = start + text.length;
    while (comments && (comments[next] ?? end) < start) next += 1;
    const known = comments ? (comments[next] ?? end) - start : findMark(text);
    const comment = known >= 0 && known < text.length ? text.slice(known) : null;
    if (text.length <= MAX_LINE_CHARACTERS) {
      lines.push({ start, text, comment, isComment: comment !== null && text.slice(0, known).trim() === '' });
    }
    start = end + 1;
  }
  return lines;
}

function findMark(text: string): number {
  if (text.length > MAX_LINE_CHARACTERS) return -1;
  if (DIRECTIVE.test(text)) return text.search(/\/\/|\/\*/);
  if (FULL_COMMENT.test(text)) return text.length - text.trimStart().length;
  return text.search(/#|\/\/|\/\*/);
}

const FORBIDS =
  /\b(?:do not|don'?t|never|must not|should not|shouldn'?t|not to be|may not|cannot be)\b[^.;]{0,40}?\b(?:chang|edit|modif|touch|alter|tun(?:e|ing)|tweak|turn)/i;
const FORBIDS_IN_HEADING = /\b(?:read only|locked|frozen|immutable|off limits|hands off|fixed)\b/i;
const ALLOWS =
  /\b(?:may|can|free|freely|safe) (?:to )?(?:be )?(?:chang|edit|tun|modif|adjust)|\btun(?:e|able|ing)\b|\bhyper ?param|\bedit (?:these|below|freely|directly)/i;
const SAYS_REST = /\bbelow\b|\brest of\b/i;
/** `# == Model ==`, `# ----`, `### Model`, `# %%`. */
const HEADING = /^(?:[=\-*~#_+─━═]{2,}|#+|%%)(?:\s|$)|(?:^|\s)[=\-*~#_+─━═]{2,}$/;

/** What a comment says about the lines after it, until another comment says something else. */
type Lock = { readonly indent: number; readonly isHeading: boolean; readonly isRest: boolean };

/**
 * The starts of lines that may not be changed, because a comment on the line or over its section says so. A section
 * ends at the next heading, at a comment that allows changes, or at the end of its block; if the comment is not a
 * heading, also at the next comment after an empty line.
 */
export function findLockedLines(lines: readonly SourceLine[]): ReadonlySet<number> {
  const locked = new Set<number>();
  let lock: Lock | null = null;
  let block: SourceLine[] = [];
  let isAfterBlank = true;
  let blockIsAfterBlank = true;
  for (const line of lines) {
    if (line.isComment) {
      if (block.length === 0) blockIsAfterBlank = isAfterBlank;
      block.push(line);
      continue;
    }
    if (block.length > 0) {
      lock = readBlock(block, lock, blockIsAfterBlank);
      block = [];
    }
    isAfterBlank = line.text.trim() === '';
    if (isAfterBlank) continue;
    if (lock && indentOf(line) < lock.indent) lock = null;
    const isOwn = line.comment !== null && FORBIDS.test(plain(line.comment));
    if (lock || isOwn) locked.add(line.start);
  }
  return locked;
}

function indentOf({ text }: SourceLine): number {
  return text.length - text.trimStart().length;
}

function readBlock(block: readonly SourceLine[], lock: Lock | null, isAfterBlank: boolean): Lock | null {
  const indent = block[0] ? indentOf(block[0]) : 0;
  const comments = block.map(({ comment }) => comment ?? '');
  const contents = comments.map(comment => comment.trim().replace(/^(?:#|\/\/|\/\*+|\*|--|;)\s*/, ''));
  const isHeading = contents.some(content => HEADING.test(content));
  const text = plain(contents.join(' '));
  if (FORBIDS.test(text) || (isHeading && FORBIDS_IN_HEADING.test(text))) {
    return { indent, isHeading, isRest: SAYS_REST.test(text) };
  }
  const isNext = isAfterBlank && lock !== null && !lock.isHeading && !lock.isRest;
  return isHeading || ALLOWS.test(text) || isNext ? null : lock;
}

function plain(comment: string): string {
  return comment.replace(/[\s_-]+/g, ' ');
}
