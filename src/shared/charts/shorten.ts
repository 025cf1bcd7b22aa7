import { cutInMiddle } from '../cut-in-middle.ts';

/**
 * The first line of a text in at most `most` characters. A longer line is cut at a word: before the last number near
 * its end, because that is usually what changed; otherwise at the end.
 */
export function shorten(text: string, most: number): string {
  const line = text.trim().split(/\r?\n/, 1)[0]?.replaceAll(/\s+/g, ' ') ?? '';
  if ([...line].length <= most) return line;
  const [head, tail] = cutInMiddle(line);
  const isTelling = /\d/.test(tail) && [...tail].length <= most / 2;
  return isTelling ? `${cut(head, most - [...tail].length)}${tail}` : cut(line, most);
}

/** The start of a line with an ellipsis, in at most `most` characters. */
function cut(line: string, most: number): string {
  const beginning = [...line].slice(0, most - 1).join('');
  const space = beginning.lastIndexOf(' ');
  const words = space > most / 2 ? beginning.slice(0, space) : beginning;
  return `${words.replace(/[\s,;:.–-]+$/, '')}…`;
}
