import type { BudgetFit } from './budget.ts';
import { REPEATABLE_DIGITS } from './claims.ts';
import type { Contract } from './contract.ts';

/** Whether a metric is worth a night: what a few runs of the code as it is, and one of it broken, tell before any experiment. */
export type MetricCheck = {
  readonly metric: Pick<Contract['metric'], 'name' | 'goal'>;
  /** How many runs of the code as it is were asked for. */
  readonly asked: number;
  /** The numbers of those that count, in their order. */
  readonly values: readonly number[];
  /** Why the first of the others gave none; null where every one did, or the reason is unknown. */
  readonly fault: string | null;
  readonly mean: number;
  readonly noise: {
    /** s: the standard deviation between runs of the same code, in the metric's unit. */
    readonly sigma: number;
    /** What the runs leave open: σ lies between the two with a probability of 80 %. */
    readonly low: number;
    readonly high: number;
  };
  /** Significant digits of the number as it was printed, and the step of the last one. */
  readonly digits: number;
  readonly step: number;
  /** The smallest gains that would be proven, in the metric's unit. */
  readonly gain: {
    /** By one run of an edit. */
    readonly oneRun: number;
    /** By as many repeats as an audit makes of one edit and its parent. */
    readonly night: number;
  };
  readonly night: {
    readonly hours: number;
    /** What one run takes, with the measuring after it. */
    readonly runSeconds: number;
    readonly experiments: number;
    /** Of all that fit, those for the audit and for the final runs that the reported gain comes from. */
    readonly auditRuns: number;
  };
  readonly budget: BudgetFit;
  readonly broken: BrokenRun;
  /** Of a number that repeats itself; null where it does not, or no seed was found. */
  readonly seeds: OtherSeeds | null;
};

/** What the code gives with other seeds. */
export type OtherSeeds = {
  readonly file: string;
  readonly name: string;
  readonly from: string;
  /** A run without a number has none. */
  readonly runs: readonly { readonly to: string; readonly value: number | null }[];
};

/** What came of breaking the code on purpose. */
export type BrokenRun =
  | { readonly kind: 'left_out' }
  | { readonly kind: 'no_constant' }
  | {
      readonly kind: 'run';
      readonly file: string;
      readonly name: string;
      readonly from: string;
      readonly to: string;
      /** Whether no training can be expected to be better so; another constant may be. */
      readonly isRuin: boolean;
      /** Null where it gave none. */
      readonly value: number | null;
      /** Why it gave none. */
      readonly fault: string | null;
    };

export type MetricCheckOutcome =
  | { readonly kind: 'measured'; readonly check: MetricCheck }
  /** The unchanged code gave no valid number. */
  | { readonly kind: 'failed'; readonly message: string; readonly tail: readonly string[] }
  | { readonly kind: 'stopped' };

/** How far a check is. */
export type MetricCheckProgress = {
  /** Which run it is, from 1; the same once more where one was not fair. 0 while the set-up command runs. */
  readonly run: number;
  /** As far as is known yet: a number that repeats itself is tried with other seeds as well. */
  readonly runs: number;
  readonly of: 'code' | 'broken' | 'seed';
};

/** Progress for those who wait for a check; its outcome comes last. */
export type MetricCheckStep =
  | { readonly kind: 'progress'; readonly progress: MetricCheckProgress }
  | MetricCheckOutcome;

/** What a check is at, for those who wait. */
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

/** What a run takes beside its training: it starts, and it is measured. */
const BESIDE_SECONDS = 20;

/** Roughly how long a check will take, judging by the budget. */
export function checkMinutes(runs: number, budgetSeconds: number): number {
  return Math.ceil((runs * (budgetSeconds + BESIDE_SECONDS)) / 60);
}

/** What breaking does has to be larger than so many deviations of what chance does. */
const MOVED_SIGMAS = 3;

const RATE_NAME =
  /(?:^|[^a-z])(?:acc|accuracy|pass(?:ed)?|pass_?rate|rate|success|solved|correct|recall|precision|f1|auc|em|exact_match|win|hits?|score)(?:[^a-z]|$)/i;

/** The metric as a share of cases that succeed, from 0 to 1; null where it does not look like one. */
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

/** Whether every run gave the very same number. */
export function isSame({ values }: Pick<MetricCheck, 'values'>): boolean {
  return values.length > 1 && values.every(value => value === values[0]);
}

/** Whether chance plays no part in the number, as far as so few runs tell. */
export function looksRepeatable(check: Pick<MetricCheck, 'values' | 'digits'>): boolean {
  return isSame(check) && check.digits >= REPEATABLE_DIGITS;
}

/** Whether breaking the code moved its number; null where it gave none, or was not tried. */
export function hasMoved(check: MetricCheck): boolean | null {
  const { broken, mean, noise, values } = check;
  if (broken.kind !== 'run' || broken.value === null) return null;
  const difference = Math.abs(broken.value - mean);
  if (looksRepeatable(check)) return difference > 0;
  return difference > MOVED_SIGMAS * noise.sigma * Math.sqrt(1 + 1 / values.length);
}
