import { isTest } from './guarded-files.ts';
import type { TrackedPaths } from './tracked-paths.ts';

/** Where an entry of a list begins to name exceptions. */
const EXCEPTION =
  /[\s(,]+(?:except(?:ing)?(?: for)?|excluding|other than|apart from|but not|not including)\s+/i;
/** After these, an entry says what a file is for, and no longer which file. */
const DESCRIPTION = /\s[—–-]{1,2}\s|:\s/;

/** Kinds of files that texts name in words, and how such files are named. */
const GENERATED = /(?:^|[/._-])(?:generated|gen|g|pb|pb2|pb2_grpc|freezed)(?=[/._-])/i;
const KINDS: readonly (readonly [words: RegExp, isMeant: (path: string) => boolean])[] = [
  [/\b(?:auto-?)?generated\b/i, path => GENERATED.test(path)],
  [/\btests?\b/i, isTest],
];

const ENDINGS: Readonly<Record<string, string>> = {
  ...{
    rust: 'rs',
    python: 'py',
    go: 'go',
    dart: 'dart',
    java: 'java',
    ruby: 'rb',
    swift: 'swift',
    zig: 'zig',
  },
  ...{ typescript: 'ts', javascript: 'js', kotlin: 'kt', julia: 'jl', elixir: 'ex', scala: 'scala' },
};

/** "Except the benchmark if that games the numbers": a condition, not a file that is left out. */
const IF = /\b(?:if|when|where|unless|to)\b/i;

/** "`src/` (excluding `src/bin/`): the library" names `src/`, and `src/bin/` as an exception. */
export type Entry = { readonly named: string; readonly exception: string | null };

/** Splits a clause into what it names and what it excepts from that. A later remark about a file is no exception. */
export function divideEntry(clause: string): Entry {
  const found = EXCEPTION.exec(clause);
  const described = DESCRIPTION.exec(clause)?.index ?? clause.length;
  if (!found || found.index > described) return { named: clause, exception: null };
  const rest = clause.slice(found.index + found[0].length);
  const exception = rest.slice(0, DESCRIPTION.exec(rest)?.index ?? rest.length);
  return { named: clause.slice(0, found.index), exception: IF.test(exception) ? null : exception };
}

/**
 * The files in `path` that an exception means by their kind: "generated code and tests". Null if it says anything
 * else, because then the files are unknown.
 */
export function filesOfKind(
  exception: string,
  path: string,
  tracked: TrackedPaths,
): readonly string[] | null {
  const kinds = KINDS.filter(([words]) => words.test(exception));
  if (kinds.length === 0) return null;
  return tracked.matching(path).filter(file => kinds.some(([, isMeant]) => isMeant(file)));
}

/** "All Rust files in `src/`" means those with that ending. */
export function ofLanguage(path: string, words: string, tracked: TrackedPaths): string {
  const [ending, other] = new Set(
    words
      .toLowerCase()
      .split(/[^a-z]+/)
      .flatMap(word => (Object.hasOwn(ENDINGS, word) ? [ENDINGS[word]] : [])),
  );
  if (ending === undefined || other !== undefined || !path.endsWith('/**')) return path;
  const narrow = `${path}/*.${ending}`;
  return tracked.matching(narrow).length > 0 ? narrow : path;
}
