/**
 * The constants of a source file: `ALL_CAPS = literal` at the beginning of a line, as Python writes them, and the
 * same behind `const`, `let`, `static` and the like, with or without a type and a semicolon. Anything computed is
 * left alone, but for Python's `2**19`.
 */
export type Constant = {
  readonly file: string;
  readonly name: string;
  readonly literal: Literal;
  /** Where the literal's text stands in the file. */
  readonly start: number;
  readonly end: number;
};

export type Literal =
  | { readonly kind: 'boolean'; readonly value: boolean; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number; readonly text: string }
  | { readonly kind: 'power'; readonly base: number; readonly exponent: number; readonly text: string }
  | { readonly kind: 'float'; readonly value: number; readonly text: string }
  | {
      readonly kind: 'choice';
      readonly value: string;
      readonly choices: readonly string[];
      readonly text: string;
    }
  | { readonly kind: 'tuple'; readonly items: readonly Literal[]; readonly text: string };

/** What stands before the literal: words of a declaration, the name, a type. */
const ASSIGNMENT =
  /^(?:(?:export|pub|public|private|static|final|constexpr|const|let|var|auto|int|float|double|long|size_t|bool)[ \t]+){0,6}([A-Z][A-Z0-9_]*)[ \t]*(?::[ \t]*[\w.[\]]+[ \t]*)?=(?!=)/;

/** A better seed is luck, not progress; paths and versions are not for turning. */
const LEFT_ALONE = /(?:^|_)(?:SEED|PATH|DIR|FILE|URL|NAME|VERSION|PORT|HOST)(?:_|$)|^DEVICE$/;

/** Longer lines hold data, not constants. */
const MAX_LINE_CHARACTERS = 1_000;

export function findConstants(file: string, source: string): readonly Constant[] {
  const found = new Map<string, Constant | null>();
  let lineStart = 0;
  for (const line of source.split('\n')) {
    const offset = lineStart;
    lineStart += line.length + 1;
    const match = line.length > MAX_LINE_CHARACTERS ? null : ASSIGNMENT.exec(line);
    const name = match?.[1];
    if (!match || name === undefined || LEFT_ALONE.test(name)) continue;
    const { text, comment } = splitComment(line.slice(match[0].length));
    const literal = parseLiteral(text.trim(), comment);
    if (!literal) continue;
    const start = offset + match[0].length + text.length - text.trimStart().length;
    // A name assigned twice is not a constant.
    found.set(
      name,
      found.has(name) ? null : { file, name, literal, start, end: start + literal.text.length },
    );
  }
  return [...found.values()].filter(constant => constant !== null);
}

/** The number a literal's text says; null for what is no number. */
export function readNumber({ kind, text }: Literal): number | null {
  if (kind === 'power') {
    const [base = '', exponent = ''] = text.split('**');
    return Number(base) ** Number(exponent);
  }
  return kind === 'integer' || kind === 'float' ? Number(text.replaceAll('_', '')) : null;
}

/** The value and the comment behind it; a closing semicolon belongs to neither. No literal holds these signs. */
function splitComment(rest: string): { readonly text: string; readonly comment: string } {
  const marks = ['#', '//'].map(mark => rest.indexOf(mark)).filter(at => at >= 0);
  const end = marks.length > 0 ? Math.min(...marks) : rest.length;
  const value = rest.slice(0, end).trimEnd();
  return { text: value.endsWith(';') ? value.slice(0, -1) : value, comment: rest.slice(end) };
}

function parseLiteral(text: string, comment: string): Literal | null {
  if (/^(?:True|true)$/.test(text)) return { kind: 'boolean', value: true, text };
  if (/^(?:False|false)$/.test(text)) return { kind: 'boolean', value: false, text };
  const power = /^(\d+)\s*\*\*\s*(\d+)$/.exec(text);
  if (power) return { kind: 'power', base: Number(power[1]), exponent: Number(power[2]), text };
  if (/^[+-]?\d[\d_]*$/.test(text) && !/^0\d/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isSafeInteger(value) ? { kind: 'integer', value, text } : null;
  }
  if (/^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    return { kind: 'float', value: Number(text.replaceAll('_', '')), text };
  }
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(text);
  if (quoted) {
    // Words may only be exchanged for those the author lists: `# one of "relu", "gelu"`.
    const choices = [...comment.matchAll(/["']([^"']+)["']/g)].map(choice => choice[1] ?? '');
    const value = quoted[2] ?? '';
    return choices.length > 1 && choices.includes(value) ? { kind: 'choice', value, choices, text } : null;
  }
  const list = /^[([](.*?),?\s*[)\]]$/.exec(text);
  if (list && list[1] !== undefined && !/[()[\]]/.test(list[1])) {
    const items = list[1].split(',').map(item => parseLiteral(item.trim(), ''));
    return items.length > 0 && items.every(item => item !== null && item.kind !== 'tuple')
      ? { kind: 'tuple', items: items as Literal[], text }
      : null;
  }
  return null;
}
