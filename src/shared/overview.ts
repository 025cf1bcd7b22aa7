/** What an overview shows of a study beside its card. */
export type StudyOutline = {
  readonly study: string;
  /** Highest number of an experiment; null before the first. */
  readonly last: number | null;
  /** The best so far from each keep on: number of the experiment and value. */
  readonly best: readonly (readonly [n: number, value: number])[];
};

/** What is lost with a study. */
export type StudyLoss = {
  readonly experiments: number;
  readonly trainedSeconds: number;
  /** Of logs and the worktree. */
  readonly bytes: number;
  /** How many refs the repository has of it, its branch among them; null where the repository is gone or there is none. */
  readonly refs: number | null;
};

/** What the user calls a study. */
export function titleOf({ title, tag }: { readonly title: string | null; readonly tag: string }): string {
  return title ?? tag;
}
