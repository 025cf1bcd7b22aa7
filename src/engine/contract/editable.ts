import picomatch from 'picomatch';
import type { Contract } from '../../shared/contract.ts';

/** A test for paths (relative, `/`-separated) against patterns; a pattern also matches the path it spells. */
export function matchPaths(patterns: readonly string[]): (path: string) => boolean {
  const literal = new Set(patterns);
  const matches = picomatch([...patterns], { dot: true });
  return path => literal.has(path) || matches(path);
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

/** {@link matchEditable} without the instructions: what the user asks for is the user's to write, whatever the patterns say. */
export function matchProposable({
  editable,
  instructions,
}: Pick<Contract, 'editable' | 'instructions'>): (path: string) => boolean {
  const matches = matchEditable(editable);
  return path => path !== instructions && matches(path);
}

export const CONTRACT_FILE_NAME = 'pawl.toml';
