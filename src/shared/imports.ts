import type { StudyCard } from './notebook.ts';

/** What a file of results leaves open; asked, never guessed. */
export type ImportQuestion =
  | { readonly kind: 'metric'; readonly names: readonly string[] }
  | { readonly kind: 'goal'; readonly metricName: string; readonly why: string };

/** What was left out of an import, and why; of a file that is no text without a line. */
export type Skipped = { readonly line: number | null; readonly reason: string };

/** What said which direction is better: the user, the file in words, the metric's name, or the kept rows. */
export type GoalSource = 'given' | 'file' | 'name' | 'keeps';

/** What came of an import that a window asked for. Where it is a question, nothing was written. */
export type ImportAnswer =
  | { readonly kind: 'question'; readonly question: ImportQuestion }
  | {
      readonly kind: 'imported';
      readonly card: StudyCard;
      readonly goalFrom: GoalSource;
      /** Whether the metric is the one of several columns that agrees with what was kept. */
      readonly isProven: boolean;
      /** The first of them. */
      readonly skipped: readonly Skipped[];
      readonly skippedCount: number;
    };

/** A table that a window sends itself; a longer one is read from its path. */
export const MAX_TABLE_CHARACTERS = 3_000_000;
/** Lines of skipped rows that are shown. */
export const SHOWN_SKIPPED = 100;
