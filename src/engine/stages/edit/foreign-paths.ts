import { type Entry, readFolder } from '../../git/read-folder.ts';
import { filterIgnored, type Worktree } from '../../git/worktree.ts';

/** A message names only a few, so the search ends after this many. */
const ENOUGH = 100;

/**
 * Collects untracked paths that an edit may not leave: neither editable nor ignored by git. Looks into folders only
 * if git does not ignore them entirely; empty folders do not count.
 */
export class ForeignPaths {
  readonly found: string[] = [];
  readonly #worktree: Worktree;
  readonly #isEditable: (path: string) => boolean;
  readonly #signal: AbortSignal;

  constructor(worktree: Worktree, isEditable: (path: string) => boolean, signal: AbortSignal) {
    this.#worktree = worktree;
    this.#isEditable = isEditable;
    this.#signal = signal;
  }

  async add(untracked: readonly Entry[]): Promise<void> {
    if (this.found.length >= ENOUGH) return;
    const candidates = untracked.filter(({ path, isFolder }) => isFolder || !this.#isEditable(path));
    const ignored = await filterIgnored(
      this.#worktree,
      candidates.map(({ path }) => askable(path)),
    );
    for (const entry of candidates) {
      if (ignored.has(askable(entry.path))) continue;
      const kind = entry.isFolder
        ? await readFolder(entry, this.#signal, entries => this.add(entries))
        : 'file';
      if (kind === 'file' || kind === 'unreadable') this.found.push(entry.path);
      if (this.found.length >= ENOUGH) return;
    }
  }
}

/** A path that git can be asked about; for a name that is not UTF-8, its folder. */
function askable(path: string): string {
  return path.includes('\0') ? path.slice(0, path.lastIndexOf('/', path.indexOf('\0'))) || '.' : path;
}
