import type { GoalSource, Skipped } from '../../shared/imports.ts';
import type { VerdictWord } from '../../shared/study.ts';

export type Goal = 'minimize' | 'maximize';

/** A row of imported results. */
export type ImportedRow = {
  readonly hypothesis: string;
  readonly verdict: VerdictWord;
  /** The original word, if it is not a known verdict. */
  readonly word: string | null;
  readonly metric: number | null;
  /** In MB, as in the ledger. */
  readonly memory: number | null;
  readonly commit: string | null;
  /** The original fields, in the order of the columns. */
  readonly fields: readonly string[];
  readonly line: number;
};

export type ImportedTable = {
  readonly columns: readonly string[];
  readonly metricName: string;
  readonly goal: Goal;
  readonly goalFrom: GoalSource;
  /** Whether the verdicts decided which of several columns is the metric. */
  readonly isProven: boolean;
  readonly hasMemory: boolean;
  readonly rows: readonly ImportedRow[];
  readonly skipped: readonly Skipped[];
};

/** The user's answers so far. */
export type ImportAnswers = { readonly goal: Goal | null; readonly metric: string | null };
