import type { StudyCard } from './notebook.ts';

/** Questions that a file of results leaves open; the user is asked, and nothing is guessed. */
export type ImportQuestion =
  | { readonly kind: 'metric'; readonly names: readonly string[] }
  | { readonly kind: 'goal'; readonly metricName: string; readonly why: string };

/** A row that an import left out, and why; no line number for a file that is not text. */
export type Skipped = { readonly line: number | null; readonly reason: string };

/** What decided which direction is better: the user, words in the file, the metric's name, or the kept rows. */
export type GoalSource = 'given' | 'file' | 'name' | 'keeps';

/** The result of an import from a window. If it is a question, nothing was written. */
export type ImportAnswer =
  | { readonly kind: 'question'; readonly question: ImportQuestion }
  | {
      readonly kind: 'imported';
      readonly card: StudyCard;
      readonly goalFrom: GoalSource;
      /** Whether the metric is the only one of several columns that agrees with the verdicts. */
      readonly isProven: boolean;
      /** The first skipped rows. */
      readonly skipped: readonly Skipped[];
      readonly skippedCount: number;
    };

/** A window sends a table up to this size itself; a longer one is read from its path. */
export const MAX_TABLE_CHARACTERS = 3_000_000;
/** How many skipped rows are shown. */
export const SHOWN_SKIPPED = 100;
