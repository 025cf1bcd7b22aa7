import picomatch from 'picomatch';

/** A test for paths (relative, `/`-separated) against patterns; a pattern also matches the path it spells. */
export function matchPaths(patterns: readonly string[]): (path: string) => boolean {
  const literal = new Set(patterns);
  const matches = picomatch([...patterns], { dot: true });
  return path => literal.has(path) || matches(path);
}

/** What a proposal may change: the contract's patterns, but never git's own files nor the contract itself. */
export function matchEditable(patterns: readonly string[]): (path: string) => boolean {
  const matches = matchPaths(patterns);
  return path =>
    path !== CONTRACT_FILE_NAME &&
    !path.split('/').some(part => part.toLowerCase() === '.git' || part === '..') &&
    matches(path);
}

export const CONTRACT_FILE_NAME = 'pawl.toml';
