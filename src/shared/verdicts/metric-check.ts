import type { BudgetFit } from '../contract/budget.ts';
import type { Contract } from '../contract/contract.ts';
import { REPEATABLE_DIGITS } from './claims.ts';

/**
 * Whether a metric is worth a night: what a few runs of the unchanged code, and one of broken code, show before any
 * experiment.
 */
export type MetricCheck = {
  readonly metric: Pick<Contract['metric'], 'name' | 'goal'>;
  /** How many runs of the unchanged code were asked for. */
  readonly asked: number;
  /** The valid numbers, in order. */
  readonly values: readonly number[];
  /** Why the first of the other runs gave no number; null if every run did, or if unknown. */
  readonly fault: string | null;
  readonly mean: number;
  readonly noise: {
    /** s: the standard deviation between runs of the same code, in the metric's unit. */
    readonly sigma: number;
    /** The uncertainty after these runs: σ is between these two with a probability of 80 %. */
    readonly low: number;
    readonly high: number;
  };
  /** Significant digits of the printed number, and the step of the last digit. */
  readonly digits: number;
  readonly step: number;
  /** The smallest gains that would be proven, in the metric's unit. */
  readonly gain: {
    /** By one run of an edit. */
    readonly oneRun: number;
    /** By as many repeats of one edit and its parent as an audit makes. */
    readonly night: number;
  };
  readonly night: {
    readonly hours: number;
    /** How long one run takes, including the measuring after it. */
    readonly runSeconds: number;
    readonly experiments: number;
    /** Runs of the night that go to the audit and to the final measurement of the reported gain. */
    readonly auditRuns: number;
  };
  readonly budget: BudgetFit;
  readonly broken: BrokenRun;
  /** For a number that repeats exactly; null if it does not, or if no seed was found. */
  readonly seeds: OtherSeeds | null;
};

/** The numbers of the code with other seeds. */
export type OtherSeeds = {
  readonly file: string;
  readonly name: string;
  readonly from: string;
  /** A run without a number has a null value. */
  readonly runs: readonly { readonly to: string; readonly value: number | null }[];
};

/** The result of breaking the code on purpose. */
export type BrokenRun =
  | { readonly kind: 'left_out' }
  | { readonly kind: 'no_constant' }
  | {
      readonly kind: 'run';
      readonly file: string;
      readonly name: string;
      readonly from: string;
      readonly to: string;
      /** Whether every training should get worse from this change; another constant may also improve it. */
      readonly isRuin: boolean;
      /** Null if it gave no number. */
      readonly value: number | null;
      /** Why it gave no number. */
      readonly fault: string | null;
    };

export type MetricCheckOutcome =
  | { readonly kind: 'measured'; readonly check: MetricCheck }
  /** The unchanged code gave no valid number. */
  | { readonly kind: 'failed'; readonly message: string; readonly tail: readonly string[] }
  | { readonly kind: 'stopped' };

/** A check's progress. */
export type MetricCheckProgress = {
  /** The number of the current run, from 1; the same again if one was not fair. 0 while the set-up command runs. */
  readonly run: number;
  /** As far as known: a number that repeats exactly is also tried with other seeds. */
  readonly runs: number;
  readonly of: 'code' | 'broken' | 'seed';
};

/** The progress of a check; the last step is its outcome. */
export type MetricCheckStep =
  | { readonly kind: 'progress'; readonly progress: MetricCheckProgress }
  | MetricCheckOutcome;

/** What a check is doing, for a waiting user. */
export function progressWords({ run, runs, of }: MetricCheckProgress): string {
  if (run === 0) return 'The set-up command runs.';
  return `Run ${run} of ${runs}${PROGRESS_WORDS[of]} …`;
}

const PROGRESS_WORDS: Readonly<Record<MetricCheckProgress['of'], string>> = {
  code: '',
  broken: ', with a constant broken on purpose',
  seed: ', with another seed',
};

export const METRIC_CHECK_RUNS = { least: 2, most: 10, usual: 3 };
export const METRIC_CHECK_HOURS = 8;

/** Time that a run takes besides training: starting and measuring. */
const BESIDE_SECONDS = 20;

/** Roughly how many minutes a check will take, judging by the budget. */
export function checkMinutes(runs: number, budgetSeconds: number): number {
  return Math.ceil((runs * (budgetSeconds + BESIDE_SECONDS)) / 60);
}

/** Breaking the code must change the number by more than this many standard deviations of chance. */
const MOVED_SIGMAS = 3;

const RATE_NAME =
  /(?:^|[^a-z])(?:acc|accuracy|pass(?:ed)?|pass_?rate|rate|success|solved|correct|recall|precision|f1|auc|em|exact_match|win|hits?|score)(?:[^a-z]|$)/i;

/** The metric as a rate of success from 0 to 1; null if it does not look like one. */
export function rateOf({
  metric,
  values,
  mean,
}: Pick<MetricCheck, 'metric' | 'values' | 'mean'>): number | null {
  const inWords = metric.name.replace(/([a-z])([A-Z])/g, '$1_$2');
  if (metric.goal !== 'maximize' || !RATE_NAME.test(inWords) || values.some(value => value < 0)) return null;
  if (values.every(value => value <= 1)) return mean;
  const isPercent = /%|percent|pct|acc|pass|rate/i.test(inWords) && values.every(value => value <= 100);
  return isPercent ? mean / 100 : null;
}

/** Whether every run gave exactly the same number. */
export function isSame({ values }: Pick<MetricCheck, 'values'>): boolean {
  return values.length > 1 && values.every(value => value === values[0]);
}

/** Whether chance plays no part in the number, as far as a few runs can show. */
export function looksRepeatable(check: Pick<MetricCheck, 'values' | 'digits'>): boolean {
  return isSame(check) && check.digits >= REPEATABLE_DIGITS;
}

/** Whether breaking the code changed its number; null if it gave none, or was not tried. */
export function hasMoved(check: MetricCheck): boolean | null {
  const { broken, mean, noise, values } = check;
  if (broken.kind !== 'run' || broken.value === null) return null;
  const difference = Math.abs(broken.value - mean);
  if (looksRepeatable(check)) return difference > 0;
  return difference > MOVED_SIGMAS * noise.sigma * Math.sqrt(1 + 1 / values.length);
}
