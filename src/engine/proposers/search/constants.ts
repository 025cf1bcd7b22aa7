import type { Candidate, Constant } from './constant.ts';
import { findDataConstants, isDataFile } from './data-constants.ts';
import type { Given } from './given.ts';
import { isLeftAlone } from './left-alone.ts';
import { type Literal, NONE_OR_ALL, parseLiteral } from './literal.ts';
import { countAssignments, findLiveLines, isOfC } from './live-code.ts';
import { findLockedLines, type SourceLine, splitLines } from './locked-sections.ts';
import { findPythonConstants } from './python-constants.ts';

/** Names are shown to users and used by models; other characters differ between bytes and text. */
const NAMEABLE = /^[\x20-\x7e]{1,200}$/;

/**
 * The constants of a file, in order. In Python, those of `findPythonConstants`; in JSON, TOML and YAML, every value;
 * in any other file, `ALL_CAPS = literal` at the start of a line, also after `const`, `let`, `static` and the like,
 * with or without a type and a semicolon, and in C and its relatives `#define ALL_CAPS literal`. Leaves out computed
 * values, the integer -1, which stands for none or all, names that `isLeftAlone` matches, those that a comment says
 * not to change, those that are `given`, and those assigned twice.
 * @param isWanted selects by name, instead of `isLeftAlone`
 */
export function findConstants(
  file: string,
  source: string,
  given: Given = new Set(),
  isWanted: (name: string) => boolean = name => !isLeftAlone(name),
): readonly Constant[] {
  const { candidates, lines } = readCandidates(file, source, given);
  const locked = findLockedLines(lines);
  const seen = new Map<string, number>();
  const count = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
  for (const { name, alias } of candidates) {
    count(name);
    if (alias !== undefined && alias !== name) count(alias);
  }
  return candidates
    .filter(
      ({ name, alias, literal, start }) =>
        !(literal.kind === 'integer' && literal.value === NONE_OR_ALL) &&
        [name, alias ?? name].every(
          own => NAMEABLE.test(own) && !given.has(own) && isWanted(own) && seen.get(own) === 1,
        ) &&
        !locked.has(source.lastIndexOf('\n', start - 1) + 1),
    )
    .sort((a, b) => a.start - b.start)
    .map(({ name, literal, start, end }) => ({ file, name, literal: sized(name, literal), start, end }));
}

/** Words of sizes that programs want to be powers of two; what is counted has other names (`BLOCKS`, `LAYERS`). */
const SIZE = /(?:^|[^a-z])(?:tile|block|batch|chunk|vec|vector|unroll|warps|dim|(?<!kernel_)size)(?![a-z])/i;

function sized(name: string, literal: Literal): Literal {
  const isSize =
    literal.kind === 'integer' && literal.value > 0 && Number.isInteger(Math.log2(literal.value));
  return isSize && SIZE.test(name) ? { ...literal, isSize } : literal;
}

function readCandidates(
  file: string,
  source: string,
  given: Given,
): { readonly candidates: readonly Candidate[]; readonly lines: readonly SourceLine[] } {
  const isPython = /\.pyw?$/.test(file) || /^#!.{0,80}\bpython/.test(source.slice(0, 100));
  if (isPython) {
    const { candidates, lines, isWhole } = findPythonConstants(source, given);
    if (isWhole) return { candidates, lines };
    const known = new Set(candidates.map(({ start }) => start));
    const others = lines.flatMap(line => readLine(line) ?? []).filter(({ start }) => !known.has(start));
    return { candidates: [...candidates, ...others], lines };
  }
  const lines = splitLines(source, null);
  if (isDataFile(file)) return { lines, candidates: findDataConstants(file, source) };
  const isC = isOfC(file);
  let start = 0;
  const candidates = findLiveLines(file, source).flatMap(text => {
    const line = { start, text };
    start += text.length + 1;
    return readLine(line, isC) ?? [];
  });
  const assignments = countAssignments(file, source);
  return { lines, candidates: candidates.filter(({ name }) => (assignments.get(name) ?? 0) <= 1) };
}

/** The part before the literal: words of a declaration, the name (in capitals, or `kTileSize`), a type. */
const ASSIGNMENT =
  /^(?:(?:export|pub|public|private|static|final|constexpr|const|let|var|auto|inline|unsigned|short|int|u?int\d+_t|float|double|long|size_t|bool)[ \t]+){0,6}([A-Z][A-Z0-9_]*|k[A-Z]\w*)[ \t]*(?::[ \t]*[\w.[\]]+[ \t]*)?=(?!=)/;

/** Not one with parameters, nor one that guards a header. */
const DEFINITION = /^[ \t]*#[ \t]*define[ \t]+(?!\w*_H(?:H|PP)?_*\s)([A-Z][A-Z0-9_]*)[ \t]/;
/** A value of C around its number: parentheses, and the letters for its type, which stay. */
const C_VALUE = /^(\(?[ \t]*)(.*?)(?:(?<=[\d.])[fFlLuU]{1,3})?[ \t]*\)?$/;

function readLine(
  { start: offset, text: line }: Pick<SourceLine, 'start' | 'text'>,
  isC = false,
): Candidate | null {
  const match = ASSIGNMENT.exec(line) ?? (isC ? DEFINITION.exec(line) : null);
  const name = match?.[1];
  if (!match || name === undefined) return null;
  const { text, comment } = splitComment(line.slice(match[0].length));
  const value = text.trim();
  const [, before = '', number = value] = (isC && C_VALUE.exec(value)) || [];
  const literal = parseLiteral(number, comment);
  if (!literal) return null;
  const start = offset + match[0].length + text.length - text.trimStart().length + before.length;
  return { name, literal, start, end: start + literal.text.length };
}

/** The value and the comment after it, both without a final semicolon. No literal contains these characters. */
function splitComment(rest: string): { readonly text: string; readonly comment: string } {
  const marks = ['#', '//', '/*'].map(mark => rest.indexOf(mark)).filter(at => at >= 0);
  const end = marks.length > 0 ? Math.min(...marks) : rest.length;
  const value = rest.slice(0, end).trimEnd();
  return { text: value.endsWith(';') ? value.slice(0, -1) : value, comment: rest.slice(end) };
}
