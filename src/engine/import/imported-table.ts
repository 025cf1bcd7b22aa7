import type { GoalSource, Skipped } from '../../shared/imports.ts';
import type { VerdictWord } from '../../shared/study.ts';

export type Goal = 'minimize' | 'maximize';

/** A row of somebody's results. */
export type ImportedRow = {
  readonly hypothesis: string;
  readonly verdict: VerdictWord;
  /** The word as it stood, where it is none of the known ones. */
  readonly word: string | null;
  readonly metric: number | null;
  /** In MB, as the ledger keeps it. */
  readonly memory: number | null;
  readonly commit: string | null;
  /** The fields as they stood, in the order of the columns. */
  readonly fields: readonly string[];
  readonly line: number;
};

export type ImportedTable = {
  readonly columns: readonly string[];
  readonly metricName: string;
  readonly goal: Goal;
  readonly goalFrom: GoalSource;
  /** Whether the metric was told from the verdicts among several columns. */
  readonly isProven: boolean;
  readonly hasMemory: boolean;
  readonly rows: readonly ImportedRow[];
  readonly skipped: readonly Skipped[];
};

/** What the user has said already. */
export type ImportAnswers = { readonly goal: Goal | null; readonly metric: string | null };
