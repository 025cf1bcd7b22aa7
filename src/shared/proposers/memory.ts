/** The largest text that Pawl makes from earlier studies. */
export const MADE_CHARACTERS = 6_000;
/** The largest text after the user has edited it. */
export const MEMORY_CHARACTERS = 12_000;

/** The author of a version. */
export type MemoryAuthor = 'pawl' | 'you';

/** What a study's proposers read about earlier studies, with all its versions. */
export type Memory = {
  /** Empty if they get nothing. */
  readonly text: string;
  /** Newest first; only the first counts. */
  readonly versions: readonly {
    readonly id: number;
    readonly at: number;
    readonly bytes: number;
    readonly author: MemoryAuthor;
  }[];
};

/** How a line names the study it comes from. */
export function sourceLabel(study: { readonly tag: string; readonly importedFrom: string | null }): string {
  return `${study.importedFrom === null ? 'autoresearch' : 'imported'}/${study.tag}`;
}

const SOURCE = /((?:autoresearch|imported)\/[A-Za-z0-9._-]+) (#\d+(?:, #\d+)*)/g;

export type MemorySource = { readonly label: string; readonly ns: readonly number[] };

/** The experiments that a text names as sources, by study, in order of appearance. */
export function sourcesIn(text: string): readonly MemorySource[] {
  const found = new Map<string, Set<number>>();
  for (const [, label = '', numbers = ''] of text.matchAll(SOURCE)) {
    const ns = found.get(label) ?? new Set();
    found.set(label, ns);
    for (const [, n] of numbers.matchAll(/#(\d+)/g)) ns.add(Number(n));
  }
  return [...found].map(([label, ns]) => ({ label, ns: [...ns] }));
}
