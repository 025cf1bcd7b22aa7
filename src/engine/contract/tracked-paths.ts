import { posix } from 'node:path';
import { matchEditable, matchPaths } from './editable.ts';

/** Patterns are compiled to regular expressions, so those of strangers may hold few things that are tried in many ways. */
function isPlainPattern(pattern: string): boolean {
  if (!/[*?[{]/.test(pattern) || /[()+@]|\.\.|!\[/.test(pattern)) return false;
  const count = (text: string, signs: RegExp) => text.match(signs)?.length ?? 0;
  return count(pattern, /[{[]/g) <= 2 && pattern.split('/').every(part => count(part, /\*+/g) <= 2);
}

/** The files of a commit, for finding what a text means by a name. */
export class TrackedPaths {
  readonly all: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #folders: ReadonlySet<string>;
  readonly #matching = new Map<string, readonly string[]>();
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
   * The path or pattern, relative to the top, that a text in `folder` means by a word: a file, a folder, a pattern that
   * matches something, or the only file whose path ends so. Null for anything else, and for what leads out.
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
    return isPlainPattern(pattern) && this.all.some(matchPaths([pattern]));
  }

  #ending(name: string): string | null {
    if (/[*?[{]/.test(name)) {
      const anywhere = `**/${name}`;
      return name.includes('/') && this.#matchesSome(anywhere) ? anywhere : null;
    }
    const same = (this.#byName.get(posix.basename(name)) ?? []).filter(path => path.endsWith(`/${name}`));
    return same.length === 1 ? (same[0] ?? null) : null;
  }

  /** Whether two patterns meet in a tracked file. */
  overlap(one: string, other: string): boolean {
    if (one === other) return true;
    return this.matching(one).some(matchPaths([other]));
  }

  /** What of a pattern can be edited. */
  matching(pattern: string): readonly string[] {
    const known = this.#matching.get(pattern);
    if (known) return known;
    const found = this.all.filter(matchEditable([pattern]));
    this.#matching.set(pattern, found);
    return found;
  }
}
