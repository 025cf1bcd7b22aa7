import { findDataConstants, isDataFile } from './data-constants.ts';
import type { Given } from './given.ts';
import { isLeftAlone } from './left-alone.ts';
import type { Literal } from './literal.ts';
import { parseLiteral } from './literal.ts';
import { findLockedLines, type SourceLine, splitLines } from './locked-sections.ts';
import { findPythonConstants } from './python-constants.ts';

/** A value in an editable file that the search may turn. */
export type Constant = {
  readonly file: string;
  /** The only one of its file: `DEPTH`, `Config.lr`, `--lr`, `optimizer.lr`. */
  readonly name: string;
  readonly literal: Literal;
  /** Where the literal's text stands in the file. */
  readonly start: number;
  readonly end: number;
};

/** What a reader of one language finds, before it is asked whether it may be turned. */
export type Candidate = Omit<Constant, 'file'> & {
  /** What else the program calls it: its environment variable, its option. No two candidates may share one. */
  readonly alias?: string;
};

/** Names are shown, and handed over by models; other characters read differently as bytes and as text. */
const NAMEABLE = /^[\x20-\x7e]{1,200}$/;

/**
 * The constants of a file, in their order: of Python what `findPythonConstants` says, of JSON, TOML and YAML every value, of
 * anything else `ALL_CAPS = literal` at the beginning of a line, also behind `const`, `let`, `static` and the like, with or
 * without a type and a semicolon. Anything computed is left alone, and so is what `isLeftAlone` names, what a comment says
 * not to change, what is `given`, and a name that is assigned twice.
 * @param isWanted by name, in place of what `isLeftAlone` says
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
      ({ name, alias, start }) =>
        [name, alias ?? name].every(
          own => NAMEABLE.test(own) && !given.has(own) && isWanted(own) && seen.get(own) === 1,
        ) && !locked.has(source.lastIndexOf('\n', start - 1) + 1),
    )
    .sort((a, b) => a.start - b.start)
    .map(({ name, literal, start, end }) => ({ file, name, literal, start, end }));
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
  return { lines, candidates: lines.flatMap(line => readLine(line) ?? []) };
}

/** What stands before the literal: words of a declaration, the name, a type. */
const ASSIGNMENT =
  /^(?:(?:export|pub|public|private|static|final|constexpr|const|let|var|auto|int|float|double|long|size_t|bool)[ \t]+){0,6}([A-Z][A-Z0-9_]*)[ \t]*(?::[ \t]*[\w.[\]]+[ \t]*)?=(?!=)/;

function readLine({ start: offset, text: line }: SourceLine): Candidate | null {
  const match = ASSIGNMENT.exec(line);
  const name = match?.[1];
  if (!match || name === undefined) return null;
  const { text, comment } = splitComment(line.slice(match[0].length));
  const literal = parseLiteral(text.trim(), comment);
  if (!literal) return null;
  const start = offset + match[0].length + text.length - text.trimStart().length;
  return { name, literal, start, end: start + literal.text.length };
}

/** The value and the comment behind it; a closing semicolon belongs to neither. No literal holds these signs. */
function splitComment(rest: string): { readonly text: string; readonly comment: string } {
  const marks = ['#', '//'].map(mark => rest.indexOf(mark)).filter(at => at >= 0);
  const end = marks.length > 0 ? Math.min(...marks) : rest.length;
  const value = rest.slice(0, end).trimEnd();
  return { text: value.endsWith(';') ? value.slice(0, -1) : value, comment: rest.slice(end) };
}
