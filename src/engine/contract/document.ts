/**
 * A repository's text as the readers in this folder see it: bounded, line by line, Markdown in passages. Strangers
 * wrote it, so every pattern is tried on one line of bounded length only, which bounds its backtracking.
 */

/** A committed text file. */
export type Document = { readonly path: string; readonly lines: readonly string[] };

/** Nobody writes a larger file for people to read. */
const MAX_DOCUMENT_BYTES = 256 * 1024;
const MAX_LINES = 5_000;
const MAX_LINE_CHARACTERS = 1_000;
/**
 * A longer run of white space means nothing more, and patterns that may start inside it are tried at each of its
 * characters.
 */
const MAX_BLANKS = 16;
const BLANKS = new RegExp(`\\s{${MAX_BLANKS + 1},}`, 'g');

export function documentOf(path: string, bytes: Buffer): Document {
  const text = bytes.toString('utf8', 0, MAX_DOCUMENT_BYTES).replace(/^\uFEFF/, '');
  const lines = text.split(/\r\n|\n|\r/, MAX_LINES);
  return { path, lines: lines.map(boundLine) };
}

function boundLine(line: string): string {
  return line.slice(0, MAX_LINE_CHARACTERS).replace(BLANKS, run => run.slice(0, MAX_BLANKS));
}

/** `program.md:12`. */
export function sourceOf(document: Document, line: number): string {
  return `${document.path}:${line}`;
}

/** A piece of Markdown that says one thing: a paragraph, an item with its continuation, a line of code, a row of a table. */
export type Passage = {
  readonly kind: 'heading' | 'item' | 'prose' | 'code' | 'row';
  /** Its first line, counted from 1. */
  readonly line: number;
  /** The text without the marks of lists, quotes and headings. */
  readonly text: string;
  /** The heading above it. */
  readonly heading: string;
  /** The heading above that one, if only headings stand between them. */
  readonly above: string;
  /** The sentence that introduces the list or the code: "You may edit:". */
  readonly lead: string;
};

const FENCE = /^\s*(?:```|~~~)/;
const HEADING = /^\s{0,3}#{1,6}\s/;
const ITEM = /^(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(.*)$/;

/** Many readers ask for the same document's passages. */
const known = new WeakMap<Document, readonly Passage[]>();

/** Reads Markdown the way people write it; what is not Markdown reads as paragraphs. */
export function readPassages(document: Document): readonly Passage[] {
  const passages = known.get(document) ?? parsePassages(document);
  known.set(document, passages);
  return passages;
}

/** `isBare` once another heading directly follows it. */
type Heading = {
  readonly level: number;
  readonly title: string;
  readonly line: number;
  readonly isBare: boolean;
};

function parsePassages({ lines }: Document): readonly Passage[] {
  const passages: Passage[] = [];
  let headings: readonly Heading[] = [];
  let heading = '';
  let above = '';
  let lead = '';
  let isCode = false;
  let open = null as { readonly kind: 'item' | 'prose'; readonly line: number; readonly text: string } | null;
  const close = () => {
    if (!open) return;
    passages.push({ ...open, heading, above, lead });
    const plain = open.text.replaceAll('*', '').trimEnd();
    // An item can also introduce what is below it: "4. Run:".
    if (open.kind === 'prose' || plain.endsWith(':')) lead = plain;
    open = null;
  };
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const text = raw.replace(/^\s*(?:>\s?)+/, '');
    if (FENCE.test(text)) {
      close();
      isCode = !isCode;
      continue;
    }
    if (isCode) {
      if (text.trim() !== '') passages.push({ kind: 'code', line, text: text.trim(), heading, above, lead });
      continue;
    }
    const title = titleOf(text);
    const item = ITEM.exec(text);
    if (title !== undefined) {
      close();
      const level = /#+/.exec(text)?.[0].length ?? 1;
      const outer = headings.filter(upper => upper.level < level);
      const upper = outer.at(-1);
      // A document's title does not count as a heading above others. A heading with words of its own covers only its
      // own text.
      const isBare =
        upper !== undefined && upper.level > 1 && (upper.isBare || passages.at(-1)?.line === upper.line);
      above = upper !== undefined && isBare ? upper.title : '';
      headings = [
        ...outer.slice(0, -1),
        ...(upper ? [{ ...upper, isBare }] : []),
        { level, title, line, isBare: false },
      ];
      heading = title;
      lead = '';
      passages.push({ kind: 'heading', line, text: title, heading, above, lead });
    } else if (text.trim() === '') close();
    else if (text.trimStart().startsWith('|')) {
      close();
      passages.push({ kind: 'row', line, text: text.trim(), heading, above, lead });
    } else if (item) {
      close();
      open = { kind: 'item', line, text: (item[2] ?? '').trim() };
    } else if (open && isContinued(open, text)) {
      open = { ...open, text: `${open.text} ${text.trim()}` };
    } else {
      close();
      open = { kind: 'prose', line, text: text.trim() };
    }
  }
  close();
  return passages;
}

/** The text of a heading, without the marks on both sides. */
function titleOf(line: string): string | undefined {
  const mark = HEADING.exec(line)?.[0];
  if (mark === undefined) return undefined;
  const text = line.slice(mark.length).trim();
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  return text.slice(0, end).trimEnd();
}

/**
 * Whether a line continues the open passage. Below an item, a line that is not indented and starts like a sentence
 * does not.
 */
function isContinued(open: { readonly kind: string; readonly text: string }, line: string): boolean {
  if (open.text.length > MAX_LINE_CHARACTERS) return false;
  return open.kind === 'prose' || /^\s/.test(line) || /^[\p{Ll}(,]/u.test(line);
}

/** The texts between backticks. */
export function codeSpans(text: string): readonly string[] {
  return text
    .split(/`+/)
    .filter((_, index) => index % 2 === 1)
    .map(span => span.trim())
    .filter(span => span !== '');
}

/** Removes the marks of bold text; inside backticks, `**` belongs to a pattern. */
export function withoutBold(text: string): string {
  return text
    .split('`')
    .map((piece, index) => (index % 2 === 0 ? piece.replaceAll('**', '') : piece))
    .join('`');
}

/** The parts of a passage that each say one thing. Dots in backticks, names and quotations do not end one. */
export function clausesOf(text: string): readonly string[] {
  const clauses: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '`') isQuoted = !isQuoted;
    if (isQuoted || !/[.;!?]/.test(character ?? '')) continue;
    const next = text.slice(at + 1, at + 4);
    if (next !== '' && !/^[*_)"'”’]{0,2}\s/.test(next) && next.trim() !== '') continue;
    // The sentence goes on after what it quotes: `Never ask "more?" or "enough?"`.
    if (/^["”’]\s\p{Ll}/u.test(next)) continue;
    clauses.push(text.slice(start, at + 1));
    start = at + 1;
  }
  clauses.push(text.slice(start));
  return clauses.map(clause => clause.trim()).filter(clause => /[\p{L}\p{N}]/u.test(clause));
}

/** A line of code with spaces in place of the `\n` and `\t` in its strings: in `"\nloss:"` the name begins at the `l`. */
export function withoutEscapes(line: string): string {
  return line.replaceAll(/\\[nrt]/g, '  ');
}

/** Whether a text contains a name, and not just as part of a longer one. */
export function holdsWord(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const isWord = (character: string | undefined) =>
      character !== undefined && /[\p{L}\p{N}_]/u.test(character);
    if (!isWord(text[at - 1]) && !isWord(text[at + name.length])) return true;
  }
  return false;
}
