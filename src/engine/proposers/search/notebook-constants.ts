import { type Node, parseTree } from 'jsonc-parser';
import type { Candidate } from './constant.ts';
import type { Given } from './given.ts';
import type { SourceLine } from './locked-sections.ts';
import { findPythonConstants } from './python-constants.ts';

/** What JSON writes with a backslash; other letters stand for themselves. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** Python that is written in another text, and where each of its characters stands there. */
type Embedded = { readonly text: string; readonly places: readonly number[] };

/**
 * The constants in the code cells of a Jupyter notebook, which are read as one module. Only the numbers in the cells
 * change; the file's layout and outputs stay.
 */
export function findNotebookConstants(
  source: string,
  given: Given,
): { readonly candidates: readonly Candidate[]; readonly lines: readonly SourceLine[] } {
  const { text, places } = readCells(source);
  const { candidates, lines } = findPythonConstants(text, given);
  const lineAt = (place: number) => source.lastIndexOf('\n', (places[place] ?? 0) - 1) + 1;
  return {
    candidates: candidates.flatMap(candidate => {
      const [start, last] = [places[candidate.start], places[candidate.end - 1]];
      if (start === undefined || last === undefined) return [];
      const isPlain = source.slice(start, last + 1) === candidate.literal.text;
      return isPlain ? [{ ...candidate, start, end: last + 1 }] : [];
    }),
    lines: lines.map(line => ({ ...line, start: lineAt(line.start) })),
  };
}

function readCells(source: string): Embedded {
  const letters: string[] = [];
  const places: number[] = [];
  /** Whether only white space stands before the next letter. */
  let isLineStart = true;
  const push = (letter: string, place: number) => {
    letters.push(letter);
    places.push(place);
    isLineStart = letter === '\n' || (isLineStart && /\s/.test(letter));
  };
  for (const cell of childOf(parseTree(source), 'cells')?.children ?? []) {
    if (childOf(cell, 'cell_type')?.value !== 'code') continue;
    const code = childOf(cell, 'source');
    for (const string of code?.type === 'array' ? (code.children ?? []) : code ? [code] : []) {
      if (string.type !== 'string') continue;
      const end = string.offset + string.length - 1;
      for (let at = string.offset + 1; at < end; ) {
        const isEscape = source[at] === '\\';
        const letter = source[at + (isEscape ? 1 : 0)] ?? '';
        const isCode = isEscape && letter === 'u';
        // A command of IPython or the shell is no Python.
        const isCommand = isLineStart && !isEscape && /[%!?]/.test(letter);
        push(isCommand ? '#' : isCode ? '?' : isEscape ? (ESCAPES[letter] ?? letter) : letter, at);
        at += isCode ? 6 : isEscape ? 2 : 1;
      }
    }
    push('\n', 0);
  }
  return { text: letters.join(''), places };
}

function childOf(node: Node | undefined, name: string): Node | undefined {
  const property = node?.children?.find(({ children }) => children?.[0]?.value === name);
  return property?.children?.[1];
}
