import { findBuildConstants, isBuildFile } from './build-constants.ts';
import { findCodeConstants, findLineConstants } from './code-constants.ts';
import type { Candidate, Constant } from './constant.ts';
import { findDataConstants, isDataFile } from './data-constants.ts';
import { type Given, plainOption } from './given.ts';
import { isLeftAlone } from './left-alone.ts';
import { type Literal, NONE_OR_ALL } from './literal.ts';
import { findLockedLines, type SourceLine, splitLines } from './locked-sections.ts';
import { findNotebookConstants } from './notebook-constants.ts';
import { findPythonConstants } from './python-constants.ts';

/** Names are shown to users and used by models; other characters differ between bytes and text. */
const NAMEABLE = /^[\x20-\x7e]{1,200}$/;

/**
 * The constants of a file, in order. In Python, those of `findPythonConstants`, also in the cells of a notebook; in
 * JSON, TOML and YAML, every value; in a makefile and the like, those of `findBuildConstants`; in any other file, those
 * of `findCodeConstants`. Leaves out computed values, the integer -1, which stands for none or all, names that
 * `isLeftAlone` matches, those that a comment says not to change, those that are `given`, and those assigned twice.
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
          own => NAMEABLE.test(own) && !isGiven(own, given) && isWanted(own) && seen.get(own) === 1,
        ) &&
        !locked.has(source.lastIndexOf('\n', start - 1) + 1),
    )
    .sort((a, b) => a.start - b.start)
    .map(({ name, literal, start, end }) => ({ file, name, literal: sized(name, literal), start, end }));
}

function isGiven(name: string, given: Given): boolean {
  return given.has(name) || (name.startsWith('-') && given.has(plainOption(name)));
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
    const others = findLineConstants(lines).filter(({ start }) => !known.has(start));
    return { candidates: [...candidates, ...others], lines };
  }
  if (file.endsWith('.ipynb')) return findNotebookConstants(source, given);
  const lines = splitLines(source, null);
  if (isDataFile(file)) return { lines, candidates: findDataConstants(file, source) };
  if (isBuildFile(file)) return { lines, candidates: findBuildConstants(source) };
  return { lines, candidates: findCodeConstants(file, source) };
}
