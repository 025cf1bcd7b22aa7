/** More rows in one answer than this would hold up the host. */
export const TABLE_PAGE = 250;
/** The editable files of more experiments take git and the thread that reads them too long for one answer. */
export const CONSTANTS_PAGE = 50;
/** As many runs' samples of the machine are read for one answer. */
export const GPU_USE_PAGE = 50;

/** What a table shows of an experiment and its cell does not say. */
export type TableRow = {
  readonly n: number;
  /** What the run that decided printed in its summary, in order; non-finite numbers as words. */
  readonly summary: readonly (readonly [name: string, value: number | string])[];
  /** Who proposed it; null if not recorded. */
  readonly proposer: string | null;
  /** The model that a proposer asked for it last; null where none was. */
  readonly model: string | null;
  /** What models were asked for it, in US dollars; null where no call had a price. */
  readonly costUsd: number | null;
  /** Of the GPUs of all its runs, in Wh; null where no power was measured. */
  readonly energyWh: number | null;
  /** The most memory of the host that one of its runs took; null where it was not measured. */
  readonly peakRssBytes: number | null;
  readonly runs: number;
};

/** The constants in an experiment's editable files, as texts, in the order of `names`. */
export type ConstantValues = { readonly n: number; readonly texts: readonly (string | null)[] };

/** Constants of several experiments. An experiment without a commit that can be read is left out. */
export type ConstantsPage = {
  /** `DEPTH`; where two files have one of that name, `train.py:DEPTH`. */
  readonly names: readonly string[];
  readonly rows: readonly ConstantValues[];
};

/** The texts of an experiment's constants by their names. */
export type ConstantTexts = {
  readonly get: (name: string) => string | null;
  readonly names: readonly string[];
};

/** The mean use of the GPU that an experiment's last run used most, 0 to 100; null where none was sampled. */
export type GpuUse = { readonly n: number; readonly percent: number | null };

/** How much each constant that was turned matters to the metric. */
export type ConstantImportance = {
  /** Of a process the search left behind, or of one fitted to the experiments for this answer. */
  readonly isOfSearch: boolean;
  /** Experiments it knows. */
  readonly trials: number;
  /** The share of the variance of numbers it was not shown that it foretells; 0 and less for none. */
  readonly foretold: number;
  /** They sum to 1; largest first. */
  readonly shares: readonly { readonly name: string; readonly share: number }[];
};

export type ImportanceAnswer = {
  /** Null where there are too few experiments, or no constant was turned. */
  readonly importance: ConstantImportance | null;
  /** Experiments with a comparable number and known constants. */
  readonly trials: number;
  /** So many are needed. */
  readonly least: number;
};
