/** What an overview shows about a study in addition to its card. */
export type StudyOutline = {
  readonly study: string;
  /** Highest number of an experiment; null before the first. */
  readonly last: number | null;
  /** The best value after each keep: the experiment's number and the value. */
  readonly best: readonly (readonly [n: number, value: number])[];
};

/** What is lost when a study is deleted. */
export type StudyLoss = {
  readonly experiments: number;
  readonly trainedSeconds: number;
  /** Of the logs and the worktree. */
  readonly bytes: number;
  /** How many refs it has in the repository, including its branch; null if the repository is gone or there is none. */
  readonly refs: number | null;
};

/** The user's title for a study, else its tag. */
export function titleOf({ title, tag }: { readonly title: string | null; readonly tag: string }): string {
  return title ?? tag;
}
