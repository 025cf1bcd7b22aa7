/** A job on another machine, as far as the ledger knows it. */
export type LeftJob = {
  /** Its name, there and here. */
  readonly id: string;
  /** Tag of its study; null where that was deleted. */
  readonly study: string | null;
  readonly experiment: number;
  /** Whether a run that goes on is to have its result. */
  readonly isUnderWay: boolean;
  /** Machine and folder. */
  readonly folder: string;
};

/** How a job is named in a sentence. */
export const JOB_NAME = /\bpawl-[\w.-]+-\d+\.\d+\b/;
