import { constantKey } from './bounds.ts';
import { findConstants } from './constants.ts';

/** Files as several commits have them; null where a commit lacks one. */
export type ReadingQuestion = {
  readonly paths: readonly string[];
  /** Of each commit the texts of its files, by place of `paths`; latin1 gives every byte back as it was. */
  readonly commits: readonly (readonly (string | null)[])[];
  /** As {@link findConstants} takes it. */
  readonly given: readonly string[];
  /** Also those that the search leaves alone. */
  readonly isEvery?: boolean;
};

/** The text of each constant, by its key, for each commit. */
export type Reading = readonly ReadonlyMap<string, string>[];

/** What the constants of commits are. The same text of a file is read once. Pure. */
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
