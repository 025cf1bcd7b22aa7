/**
 * Paths as git writes them in a diff: plain, or in C quotes with octal escapes if they contain quotes, control
 * characters or bytes above 0x7f (`core.quotePath`).
 */

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** A path at the start of a line, and the rest of the line. */
export type ReadPath = { readonly path: string; readonly rest: string };

/**
 * Reads a C-quoted path at the start of `text`. Bytes that are not UTF-8 keep their escapes, so that two such paths
 * stay different. Null if the quotes do not close or an escape is unknown.
 */
export function readQuotedPath(text: string): ReadPath | null {
  if (!text.startsWith('"')) return null;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  let at = 1;
  while (at < text.length) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (character === '"') {
      const rest = text.slice(at + 1);
      try {
        return { path: new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes)), rest };
      } catch {
        return { path: text.slice(1, at), rest };
      }
    }
    if (character !== '\\') {
      bytes.push(...encoder.encode(character));
      at += character.length;
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(at + 1, at + 4));
    if (octal) {
      bytes.push(Number.parseInt(octal[0], 8));
      at += 4;
      continue;
    }
    const byte = ESCAPES[text.charAt(at + 1)];
    if (byte === undefined) return null;
    bytes.push(byte);
    at += 2;
  }
  return null;
}

/** Characters that would be invisible in a path or change its direction: controls, bidirectional marks, zero widths. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The path for a reader: invisible characters are written as `\t`, `\n` or `\u{…}`. */
export function showPath(path: string): string {
  return path.replace(INVISIBLE, character => {
    if (character === '\t') return '\\t';
    if (character === '\n') return '\\n';
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
