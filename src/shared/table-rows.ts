/** A larger answer would block the host for too long. */
export const TABLE_PAGE = 250;
/** For more experiments, git and the thread that reads the files would take too long for one answer. */
export const CONSTANTS_PAGE = 50;
/** How many runs' samples are read for one answer. */
export const GPU_USE_PAGE = 50;

/** What a table shows about an experiment in addition to its cell. */
export type TableRow = {
  readonly n: number;
  /** What the deciding run printed in its summary, in order; non-finite numbers as words. */
  readonly summary: readonly (readonly [name: string, value: number | string])[];
  /** Who proposed it; null if not recorded. */
  readonly proposer: string | null;
  /** The last model that a proposer asked for it; null if there was none. */
  readonly model: string | null;
  /** The cost of its model calls in US dollars; null if no call had a price. */
  readonly costUsd: number | null;
  /** Energy of the GPUs in all its runs, in Wh; null if no power was measured. */
  readonly energyWh: number | null;
  /** The highest host memory that one of its runs used; null if not measured. */
  readonly peakRssBytes: number | null;
  readonly runs: number;
};

/** The constants in an experiment's editable files, as texts, in the order of `names`. */
type ConstantValues = { readonly n: number; readonly texts: readonly (string | null)[] };

/** Constants of several experiments. Experiments without a readable commit are left out. */
export type ConstantsPage = {
  /** `DEPTH`; if two files have a constant of that name, `train.py:DEPTH`. */
  readonly names: readonly string[];
  readonly rows: readonly ConstantValues[];
};

/** The texts of an experiment's constants, by name. */
export type ConstantTexts = {
  readonly get: (name: string) => string | null;
  readonly names: readonly string[];
};

/** The mean use of the busiest GPU in an experiment's last run, from 0 to 100; null if none was sampled. */
export type GpuUse = { readonly n: number; readonly percent: number | null };

/** How much each changed constant matters to the metric. */
export type ConstantImportance = {
  /** Whether the search's own process gave this, rather than one fitted for this answer. */
  readonly isOfSearch: boolean;
  /** Number of experiments it knows. */
  readonly trials: number;
  /** The share of the variance of unseen numbers that it predicts; 0 or less for none. */
  readonly foretold: number;
  /** They sum to 1; largest first. */
  readonly shares: readonly { readonly name: string; readonly share: number }[];
};

export type ImportanceAnswer = {
  /** Null if there are too few experiments, or no constant was changed. */
  readonly importance: ConstantImportance | null;
  /** Experiments with a comparable number and known constants. */
  readonly trials: number;
  /** How many are needed. */
  readonly least: number;
};
