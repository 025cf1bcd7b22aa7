/** A line of a file, with the comment that fills it or stands behind its code. */
export type SourceLine = {
  readonly start: number;
  readonly text: string;
  /** From its mark on; null where there is none. */
  readonly comment: string | null;
  /** Whether the line has nothing else. */
  readonly isComment: boolean;
};

/** Longer lines hold data: nothing is read in them. */
const MAX_LINE_CHARACTERS = 1_000;
const FULL_COMMENT = /^\s*(?:#(?!include|define|if|endif|pragma)|\/\/|\/\*|\*|--|;)/;

/**
 * The lines of a file that are short enough to be read by people.
 * @param comments where comments begin, where that is known; null looks for the marks of many languages
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
  if (FULL_COMMENT.test(text)) return text.length - text.trimStart().length;
  return text.search(/#|\/\//);
}

const FORBIDS =
  /\b(?:do not|don'?t|never|must not|should not|shouldn'?t|not to be|may not|cannot be)\b[^.;]{0,40}?\b(?:chang|edit|modif|touch|alter|tun(?:e|ing)|tweak|turn)/i;
const FORBIDS_IN_HEADING = /\b(?:read only|locked|frozen|immutable|off limits|hands off|fixed)\b/i;
const ALLOWS =
  /\b(?:may|can|free|freely|safe) (?:to )?(?:be )?(?:chang|edit|tun|modif|adjust)|\btun(?:e|able|ing)\b|\bhyper ?param|\bedit (?:these|below|freely|directly)/i;
const SAYS_REST = /\bbelow\b|\brest of\b/i;
/** `# == Model ==`, `# ----`, `### Model`, `# %%`. */
const HEADING = /^(?:[=\-*~#_+─━═]{2,}|#+|%%)(?:\s|$)|(?:^|\s)[=\-*~#_+─━═]{2,}$/;

/** What comments say of the lines after them, until something else is said. */
type Lock = { readonly indent: number; readonly isHeading: boolean; readonly isRest: boolean };

/**
 * Where lines begin that may not be changed: a comment on the line says so, or the comment over its section. A section ends at the
 * next heading, at a comment that allows changes, or with the block it is in; under a comment that is no heading also at the
 * next one behind an empty line.
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
