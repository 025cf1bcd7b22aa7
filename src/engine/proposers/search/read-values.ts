import { constantKey } from './bounds.ts';
import { findConstants } from './constants.ts';

/** Files of several commits; null if a commit lacks one. */
export type ReadingQuestion = {
  readonly paths: readonly string[];
  /** For each commit, the texts of its files in the order of `paths`; latin1 preserves every byte. */
  readonly commits: readonly (readonly (string | null)[])[];
  /** As in {@link findConstants}. */
  readonly given: readonly string[];
  /** Whether to include constants that the search leaves alone. */
  readonly isEvery?: boolean;
};

/** The text of each constant, by its key, for each commit. */
export type Reading = readonly ReadonlyMap<string, string>[];

/** Reads the constants of commits. Equal texts of a file are read once. Pure. */
export function readValues({ paths, commits, given, isEvery = false }: ReadingQuestion): Reading {
  const isWanted = isEvery ? () => true : undefined;
  const names = new Set(given);
  const known = paths.map(() => new Map<string, readonly (readonly [string, string])[]>());
  const read = (place: number, text: string) => {
    const file = paths[place] ?? '';
    const before = known[place]?.get(text);
    const found =
      before ??
      findConstants(file, text, names, isWanted).map(
        constant => [constantKey(constant), constant.literal.text] as const,
      );
    known[place]?.set(text, found);
    return found;
  };
  return commits.map(
    texts => new Map(texts.flatMap((text, place) => (text === null ? [] : read(place, text)))),
  );
}
