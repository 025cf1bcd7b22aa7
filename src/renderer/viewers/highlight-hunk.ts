import { type HunkData, type HunkTokens, pickRanges, tokenize } from 'react-diff-view';
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
import { markWords } from './mark-words.ts';
import type { DiffFile } from './parse-diff.ts';

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

/** The language whose colours a file is shown in, from the end of its name; null where there is none. */
export function languageOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const dot = name.lastIndexOf('.');
  return dot < 0 ? null : (ENDINGS.get(name.slice(dot + 1)) ?? null);
}

/** Colouring a file larger than this is felt when it is opened: the window does it, and cannot paint meanwhile. */
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
 * Colours and word marks of one hunk. Each hunk is read by itself: a string that opens in one does not run on into the
 * next, and the lines between them, which nobody has, need not be made up (react-diff-view makes one entry for every
 * line up to the highest number, which a diff may set to anything).
 */
export function highlightHunk(hunk: HunkData, language: string | null): HunkTokens {
  const oldOffset = firstLine(hunk, 'old') - 1;
  const newOffset = firstLine(hunk, 'new') - 1;
  const moved: HunkData = {
    ...hunk,
    oldStart: 1,
    newStart: 1,
    changes: hunk.changes.map(change => {
      if (change.type === 'normal')
        return {
          ...change,
          oldLineNumber: change.oldLineNumber - oldOffset,
          newLineNumber: change.newLineNumber - newOffset,
        };
      return {
        ...change,
        lineNumber: change.lineNumber - (change.type === 'delete' ? oldOffset : newOffset),
      };
    }),
  };
  const marks = markWords(moved);
  const enhancers = [pickRanges(marks.old, marks.new)];
  let tokens: HunkTokens;
  try {
    tokens =
      language === null
        ? tokenize([moved], { enhancers })
        : tokenize([moved], { highlight: true, refractor, language, enhancers });
  } catch {
    // A grammar that stumbles over odd text costs the colours, not the diff.
    tokens = tokenize([moved], { enhancers });
  }
  return { old: shift(tokens.old, oldOffset), new: shift(tokens.new, newOffset) };
}

function firstLine(hunk: HunkData, side: 'old' | 'new'): number {
  for (const change of hunk.changes) {
    if (change.type === 'normal') return side === 'old' ? change.oldLineNumber : change.newLineNumber;
    if (change.type === (side === 'old' ? 'delete' : 'insert')) return change.lineNumber;
  }
  return 1;
}

/** Sparse, so that a line number of a billion costs nothing. */
function shift<Line>(lines: readonly Line[], offset: number): Line[] {
  const shifted: Line[] = [];
  lines.forEach((line, index) => {
    shifted[index + offset] = line;
  });
  return shifted;
}
