import type { HunkData, HunkTokens, TokenNode } from 'react-diff-view';
import bash from 'refractor/bash';
import c from 'refractor/c';
import { refractor } from 'refractor/core';
import cpp from 'refractor/cpp';
import javascript from 'refractor/javascript';
import json from 'refractor/json';
import jsx from 'refractor/jsx';
import markdown from 'refractor/markdown';
import python from 'refractor/python';
import rust from 'refractor/rust';
import toml from 'refractor/toml';
import tsx from 'refractor/tsx';
import typescript from 'refractor/typescript';
import yaml from 'refractor/yaml';
import { markWords, type WordMark } from './mark-words.ts';
import type { DiffFile } from './parse-diff.ts';

type RootContent = ReturnType<typeof refractor.highlight>['children'][number];

for (const language of [
  bash,
  c,
  cpp,
  javascript,
  json,
  jsx,
  markdown,
  python,
  rust,
  toml,
  tsx,
  typescript,
  yaml,
])
  refractor.register(language);

const ENDINGS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    python: 'py pyi',
    rust: 'rs',
    c: 'c',
    cpp: 'h cc cpp cxx hpp hh cu cuh',
    javascript: 'js mjs cjs',
    jsx: 'jsx',
    typescript: 'ts mts cts',
    tsx: 'tsx',
    bash: 'sh bash zsh',
    json: 'json jsonc ipynb',
    toml: 'toml lock',
    yaml: 'yaml yml',
    markdown: 'md markdown',
  }).flatMap(([language, endings]) => endings.split(' ').map(ending => [ending, language] as const)),
);

/** The language for a file's colours, by its ending; null if there is none. */
export function languageOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const dot = name.lastIndexOf('.');
  return dot < 0 ? null : (ENDINGS.get(name.slice(dot + 1)) ?? null);
}

/** Colouring a larger file is noticeable when it opens, because the window cannot paint meanwhile. */
export const MAX_COLOURED_LINES = 4_000;
export const MAX_COLOURED_CHARACTERS = 300_000;

/** Whether a file is small enough for colours and marks. */
export function canColour(file: DiffFile): boolean {
  let lines = 0;
  let characters = 0;
  for (const hunk of file.hunks)
    for (const change of hunk.changes) {
      lines += 1;
      characters += change.content.length;
    }
  return lines <= MAX_COLOURED_LINES && characters <= MAX_COLOURED_CHARACTERS;
}

/**
 * Colours and word marks of one hunk. Each hunk is read on its own: a string that opens in one does not continue into
 * the next, and the missing lines between them need not be invented. (react-diff-view's own `tokenize` makes an entry
 * for every line up to the highest number, which a diff may set to anything, and takes a time that grows with the
 * square of the lines.)
 */
export function highlightHunk(hunk: HunkData, language: string | null): HunkTokens {
  const marks = markWords(hunk);
  return {
    old: highlightSide(hunk, 'old', language, marks.old),
    new: highlightSide(hunk, 'new', language, marks.new),
  };
}

function highlightSide(
  hunk: HunkData,
  side: 'old' | 'new',
  language: string | null,
  marks: readonly WordMark[],
): TokenNode[][] {
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const change of hunk.changes) {
    if (change.type === (side === 'old' ? 'insert' : 'delete')) continue;
    numbers.push(
      change.type !== 'normal'
        ? change.lineNumber
        : side === 'old'
          ? change.oldLineNumber
          : change.newLineNumber,
    );
    texts.push(change.content);
  }
  const marksOf = Map.groupBy(marks, mark => mark.lineNumber);
  const lines = colourLines(texts.join('\n'), language);
  // Sparse, so that a line number of a billion costs nothing.
  const tokens: TokenNode[][] = [];
  for (const [index, number] of numbers.entries())
    tokens[number - 1] = markLine(lines[index] ?? [], marksOf.get(number) ?? []);
  return tokens;
}

/** Text with one style; `classes` from the outermost to the innermost. */
type Run = { readonly text: string; readonly classes: readonly string[] };

function colourLines(text: string, language: string | null): readonly (readonly Run[])[] {
  const lines: Run[][] = [[]];
  const add = (value: string, classes: readonly string[]) => {
    for (const [index, part] of value.split('\n').entries()) {
      if (index > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ text: part, classes });
    }
  };
  const visit = (nodes: readonly RootContent[], classes: readonly string[]) => {
    for (const node of nodes) {
      if (node.type === 'text') add(node.value, classes);
      if (node.type !== 'element') continue;
      const own = classesOf(node.properties.className);
      visit(node.children, own === '' ? classes : [...classes, own]);
    }
  };
  if (language !== null) {
    try {
      visit(refractor.highlight(text, language).children, []);
      return lines;
    } catch {
      // If a grammar fails on odd text, only the colours are lost, not the diff.
      lines.splice(0, lines.length, []);
    }
  }
  add(text, []);
  return lines;
}

/** Prism's names with a prefix: without it, `table` and `block` would be utility classes of the page. */
function classesOf(names: unknown): string {
  if (!Array.isArray(names)) return '';
  return names
    .filter(name => name !== 'token')
    .map(name => `code-${name}`)
    .join(' ');
}

function markLine(runs: readonly Run[], marks: readonly WordMark[]): TokenNode[] {
  const nodes: TokenNode[] = [];
  let start = 0;
  for (const { text, classes } of runs) {
    const end = start + text.length;
    const cuts = [start, end];
    for (const mark of marks)
      for (const cut of [mark.start, mark.start + mark.length]) if (cut > start && cut < end) cuts.push(cut);
    cuts.sort((one, other) => one - other);
    for (const [index, from] of cuts.entries()) {
      const to = cuts[index + 1];
      if (to === undefined || to === from) continue;
      const isMarked = marks.some(mark => from >= mark.start && from < mark.start + mark.length);
      let node: TokenNode = { type: 'text', value: text.slice(from - start, to - start) };
      for (const className of classes.toReversed()) node = { type: 'element', className, children: [node] };
      nodes.push(isMarked ? { type: 'edit', children: [node] } : node);
    }
    start = end;
  }
  return nodes;
}
