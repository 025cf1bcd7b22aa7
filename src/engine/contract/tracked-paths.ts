import { posix } from 'node:path';
import { matchEditable, matchPaths } from './editable.ts';

/** Patterns become regular expressions, so a stranger's pattern may contain few parts that can match in many ways. */
function isPlainPattern(pattern: string): boolean {
  if (!/[*?[{]/.test(pattern) || /[()+@]|\.\.|!\[/.test(pattern)) return false;
  const count = (text: string, signs: RegExp) => text.match(signs)?.length ?? 0;
  return (
    count(pattern, /[{[]/g) <= 2 &&
    count(pattern, /\*{2,}/g) <= 2 &&
    pattern.split('/').every(part => count(part, /\*+/g) <= 2)
  );
}

/** A text with more patterns than this is no list of files; each is tried on every file of the commit. */
const MAX_PATTERNS = 200;
/** If more files than this share a name, none is found by the end of its path. */
const MAX_SAME_NAME = 1_000;

/** Whether a path, read as a pattern, matches only itself. */
function isPlain(path: string): boolean {
  return !/[*?[\]{}()!+@\\]/.test(path);
}

/** The files of a commit; finds the one that a text means by a name. */
export class TrackedPaths {
  readonly all: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #folders: ReadonlySet<string>;
  readonly #matching = new Map<string, readonly string[]>();
  /** Patterns that were tried, and whether they match anything. */
  readonly #tried = new Map<string, boolean>();
  readonly #byName: ReadonlyMap<string, readonly string[]>;

  constructor(paths: readonly string[]) {
    this.all = paths;
    this.#known = new Set(paths);
    const folders = new Set<string>();
    const byName = new Map<string, string[]>();
    for (const path of paths) {
      const name = posix.basename(path);
      const others = byName.get(name);
      if (others) others.push(path);
      else byName.set(name, [path]);
      for (
        let folder = posix.dirname(path);
        folder !== '.' && !folders.has(folder);
        folder = posix.dirname(folder)
      )
        folders.add(folder);
    }
    this.#folders = folders;
    this.#byName = byName;
  }

  has(path: string): boolean {
    return this.#known.has(path);
  }

  /**
   * The path or pattern, relative to the top, that a word in `folder`'s text means: a file, a folder, a pattern that
   * matches something, or the only file whose path ends so. Null for anything else, and for a path that leaves the
   * repository.
   */
  resolve(word: string, folder: string): string | null {
    const name = word.replace(/^(?:\.\/)+/, '').replace(/[,:;]+$/, '');
    if (name === '' || name.length > 300 || /[\s\\\0!<>|"'$]|^[/~-]|^\.+$/.test(name)) return null;
    if (name.split('/').includes('..')) return null;
    return (
      this.#at(posix.join(folder, name)) ?? (folder === '' ? null : this.#at(name)) ?? this.#ending(name)
    );
  }

  #at(path: string): string | null {
    if (this.#known.has(path)) return path;
    const bare = path.replace(/\/+(?:\*\*?)?$/, '');
    if (this.#folders.has(bare)) return path.endsWith('/*') ? path : `${bare}/**`;
    return this.#matchesSome(path) ? path : null;
  }

  #matchesSome(pattern: string): boolean {
    const known = this.#tried.get(pattern);
    if (known !== undefined) return known;
    if (this.#tried.size >= MAX_PATTERNS || !isPlainPattern(pattern)) return false;
    const isMet = this.all.some(matchPaths([pattern]));
    this.#tried.set(pattern, isMet);
    return isMet;
  }

  #ending(name: string): string | null {
    if (/[*?[{]/.test(name)) {
      const anywhere = `**/${name}`;
      return name.includes('/') && this.#matchesSome(anywhere) ? anywhere : null;
    }
    const others = this.#byName.get(posix.basename(name)) ?? [];
    if (others.length > MAX_SAME_NAME) return null;
    const same = others.filter(path => path.endsWith(`/${name}`));
    return same.length === 1 ? (same[0] ?? null) : null;
  }

  /** One test for paths against many patterns, most of which are files and folders and need not be compiled. */
  matcher(patterns: readonly string[]): (path: string) => boolean {
    const files = new Set<string>();
    const folders = new Set<string>();
    const others = new Set<string>();
    for (const pattern of patterns) {
      const folder = this.#folderOf(pattern);
      if (folder !== null) folders.add(folder);
      else if (this.#known.has(pattern) && isPlain(pattern)) files.add(pattern);
      else others.add(pattern);
    }
    const matches = others.size > 0 ? matchPaths([...others]) : () => false;
    const isBelow = (path: string) => {
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
        if (folders.has(path.slice(0, end))) return true;
      return false;
    };
    return path => files.has(path) || (folders.size > 0 && isBelow(path)) || matches(path);
  }

  /** The folder that a pattern covers entirely. */
  #folderOf(pattern: string): string | null {
    const folder = pattern.endsWith('/**') ? pattern.slice(0, -3) : '';
    return this.#folders.has(folder) && isPlain(folder) ? folder : null;
  }

  /** The files that a pattern makes editable. */
  matching(pattern: string): readonly string[] {
    const known = this.#matching.get(pattern);
    if (known) return known;
    const isSingle = this.#known.has(pattern) && isPlain(pattern);
    const met = isSingle ? [pattern] : this.all.filter(this.matcher([pattern]));
    const found = met.filter(matchEditable([pattern]));
    this.#matching.set(pattern, found);
    return found;
  }
}
