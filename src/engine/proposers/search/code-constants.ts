import { findCodeOptions } from './code-options.ts';
import type { Candidate } from './constant.ts';
import { parseLiteral } from './literal.ts';
import { countAssignments, findLiveLines, isOfC } from './live-code.ts';
import type { SourceLine } from './locked-sections.ts';

type Line = Pick<SourceLine, 'start' | 'text'>;

/**
 * The constants of a file of a language without a parser here: `ALL_CAPS = literal` at the start of a line, also after
 * `let`, `static` and the like, with or without a type and a semicolon; any name after `const`, `constexpr` or `final`
 * there, and in Go's `const ( … )`; names in capitals after these words also within functions and classes; in C and
 * its relatives `#define ALL_CAPS literal`; and defaults of options. Not those that the file assigns again.
 */
export function findCodeConstants(file: string, source: string): readonly Candidate[] {
  let start = 0;
  const lines = findLiveLines(file, source).map(text => {
    const line = { start, text };
    start += text.length + 1;
    return line;
  });
  const assignments = countAssignments(file, source);
  return [
    ...findLineConstants(lines, isOfC(file)).filter(({ name }) => (assignments.get(name) ?? 0) <= 1),
    ...findCodeOptions(file, lines),
  ];
}

/** The same for lines of which nothing is known. */
export function findLineConstants(lines: readonly Line[], isC = false): readonly Candidate[] {
  let list: List | null = null;
  return lines.flatMap(line => {
    const match = list ? list.item.exec(line.text) : startOf(line.text, isC);
    list = list?.isOver(line.text) === false ? list : listAfter(line.text);
    return (match && readValue(line, match, isC)) ?? [];
  });
}

/** Words before a name, and what may stand between it and its value. */
const WORDS =
  '(?:(?:export|pub(?:\\([a-z]+\\))?|public|private|protected|static|final|constexpr|const|let|var|val|auto|inline|unsigned|short|int|u?int\\d+_t|float|double|long|(?:std::)?size_t|bool|boolean)[ \\t]+){0,6}';
const GO_TYPE = '(?:[ \\t]+(?:u?int(?:8|16|32|64)?|float(?:32|64)|bool))?';
const EQUALS = '[ \\t]*(?::[ \\t]*[\\w.[\\]]+[ \\t]*)?=(?!=)';
const ASSIGNMENT = new RegExp(`^([ \\t]*)(${WORDS})(?<name>[A-Za-z_]\\w*)${GO_TYPE}${EQUALS}`);
const ITEM = new RegExp(`^[ \\t]+(?<name>[A-Za-z_]\\w*)${GO_TYPE}${EQUALS}`);
const CONSTANT = /\b(?:const|constexpr|final)\b/;
/** In capitals, or `kTileSize`. */
const CONVENTION = /^(?:[A-Z][A-Z0-9_]*|k[A-Z]\w*)$/;

/** Not one with parameters, nor one that guards a header. */
const DEFINITION = /^[ \t]*#[ \t]*define[ \t]+(?!\w*_H(?:H|PP)?_*\s)(?<name>[A-Z][A-Z0-9_]*)[ \t]/;
/** A value of C around its number: parentheses, and the letters for its type, which stay. */
const C_VALUE = /^(\(?[ \t]*)(.*?)(?:(?<=[\d.])[fFlLuU]{1,3})?[ \t]*\)?$/;

/** Several constants after one word. */
type List = { readonly item: RegExp; readonly isOver: (line: string) => boolean };
const OF_GO: List = { item: ITEM, isOver: line => line.startsWith(')') };
const OF_JAVASCRIPT: List = { item: ITEM, isOver: line => !/,[ \t]*(?:\/\/.*)?\r?$/.test(line) };

function listAfter(line: string): List | null {
  if (/^const[ \t]*\([ \t\r]*$/.test(line)) return OF_GO;
  return /^(?:export[ \t]+)?const[ \t]/.test(line) && !OF_JAVASCRIPT.isOver(line) ? OF_JAVASCRIPT : null;
}

function startOf(line: string, isC: boolean): RegExpExecArray | null {
  const match = ASSIGNMENT.exec(line);
  if (!match) return isC ? DEFINITION.exec(line) : null;
  const [, indent = '', words = ''] = match;
  const isConventional = CONVENTION.test(match.groups?.name ?? '');
  const isConstant = CONSTANT.test(words);
  return (indent === '' ? isConventional || isConstant : isConventional && isConstant) ? match : null;
}

function readValue(
  { start: offset, text: line }: Line,
  match: RegExpExecArray,
  isC: boolean,
): Candidate | null {
  const name = match.groups?.name;
  if (name === undefined) return null;
  const { text, comment } = splitComment(line.slice(match[0].length));
  const value = text.trim();
  const [, before = '', number = value] = (isC && C_VALUE.exec(value)) || [];
  const literal = parseLiteral(number, comment);
  if (!literal) return null;
  const start = offset + match[0].length + text.length - text.trimStart().length + before.length;
  return { name, literal, start, end: start + literal.text.length };
}

/** The value and the comment after it, both without a final semicolon or comma. No literal contains these characters. */
function splitComment(rest: string): { readonly text: string; readonly comment: string } {
  const marks = ['#', '//', '/*'].map(mark => rest.indexOf(mark)).filter(at => at >= 0);
  const end = marks.length > 0 ? Math.min(...marks) : rest.length;
  const value = rest.slice(0, end).trimEnd();
  return { text: /[;,]$/.test(value) ? value.slice(0, -1) : value, comment: rest.slice(end) };
}
