import picomatch from 'picomatch';
import type { Contract } from '../../shared/contract/contract.ts';

/** A test for paths (relative, `/`-separated) against patterns; a pattern also matches the path it spells. */
export function matchPaths(patterns: readonly string[]): (path: string) => boolean {
  const literal = new Set(patterns);
  const matches = picomatch([...patterns], { dot: true });
  return path => literal.has(path) || matches(path);
}

/**
 * A test for folders: whether a path below it can match. Where a pattern is more than plain names from some part on, anything
 * below the parts before it can.
 */
export function mayMatchBelow(patterns: readonly string[]): (folder: string) => boolean {
  const places = patterns.map(pattern => {
    const parts = pattern.split('/');
    const plain = parts.findIndex(part => !/^[\p{L}\p{M}\p{N}_. -]+$/u.test(part) || part === '.');
    return plain < 0
      ? { base: pattern, isPlain: true }
      : { base: parts.slice(0, plain).join('/'), isPlain: false };
  });
  const isBelow = (path: string, folder: string) => folder === '' || path.startsWith(`${folder}/`);
  return folder =>
    places.some(
      ({ base, isPlain }) =>
        isBelow(base, folder) || (!isPlain && (folder === base || isBelow(folder, base))),
    );
}

/**
 * What a proposal may change: the contract's patterns, but never the contract itself, nor `.git` and the files that
 * steer git (`.gitattributes` can name filters to run, `.gitmodules` repositories to fetch).
 */
export function matchEditable(patterns: readonly string[]): (path: string) => boolean {
  const matches = matchPaths(patterns);
  return path =>
    path !== CONTRACT_FILE_NAME &&
    !path.includes('\0') &&
    !path.split('/').some(part => part.toLowerCase().startsWith('.git') || part === '..') &&
    matches(path);
}

/** {@link matchEditable} without the instructions: only the user writes those, whatever the patterns say. */
export function matchProposable({
  editable,
  instructions,
}: Pick<Contract, 'editable' | 'instructions'>): (path: string) => boolean {
  const matches = matchEditable(editable);
  return path => path !== instructions && matches(path);
}

export const CONTRACT_FILE_NAME = 'pawl.toml';
