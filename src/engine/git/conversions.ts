import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Repository } from './repository.ts';
import { gitIn, type Worktree } from './worktree.ts';

/**
 * Attributes that make git store other bytes than the file has. `core.autocrlf` would too; it is switched off for all
 * calls.
 */
const ATTRIBUTES = ['text', 'crlf', 'eol', 'ident', 'filter', 'working-tree-encoding'];
/** `text` unset is what `-text` says: no conversion. */
const NONE = ['unspecified', 'unset'];

/**
 * Knows which files of a worktree git stores byte for byte. Asks git once per file, and again when an attributes file
 * of the repository changes. Attributes of the user and the system are read once per sitting.
 */
export class Conversions {
  readonly #worktree: Worktree;
  readonly #shared: string;
  readonly #known = new Map<string, { readonly stamp: string; readonly isKept: boolean }>();

  constructor(repository: Repository, worktree: Worktree) {
    this.#worktree = worktree;
    this.#shared = join(repository.gitDir, 'info', 'attributes');
  }

  /**
   * Whether git stores all of them byte for byte.
   * @param paths plain relative paths of files
   */
  async areNone(paths: readonly string[]): Promise<boolean> {
    const stamps = paths.map(path => this.#stampOf(path));
    const isKnown = (path: string, at: number) => this.#known.get(path)?.stamp === stamps[at];
    if (!paths.every(isKnown)) {
      const converted = await this.#listConverted(paths);
      for (const [at, path] of paths.entries())
        this.#known.set(path, { stamp: stamps[at] ?? '', isKept: !converted.has(path) });
    }
    return paths.every(path => this.#known.get(path)?.isKept);
  }

  async #listConverted(paths: readonly string[]): Promise<ReadonlySet<string>> {
    const stdin = paths.map(path => `${path}\0`).join('');
    const { stdout } = await gitIn(this.#worktree, ['check-attr', '-z', '--stdin', ...ATTRIBUTES], { stdin });
    const fields = stdout.toString('utf8').split('\0');
    const converted = new Set<string>();
    for (let at = 0; at + 2 < fields.length; at += 3)
      if (!NONE.includes(fields[at + 2] ?? '')) converted.add(fields[at] ?? '');
    return converted;
  }

  /** Changes whenever an attributes file that can apply to the path changes. Takes microseconds. */
  #stampOf(path: string): string {
    const files = [this.#shared];
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      files.push(join(this.#worktree.path, folder, '.gitattributes'));
      if (folder === '.') break;
    }
    return files.map(stampOfFile).join('|');
  }
}

function stampOfFile(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return '';
  }
}
