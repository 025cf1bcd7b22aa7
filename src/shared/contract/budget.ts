import { formatSeconds } from '../numbers.ts';
import type { Contract } from './contract.ts';

/** A baseline whose training time is within this share of the contract's seconds counts as time-boxed. */
const BOXED_SHARE = 0.25;
/** On a busy machine, starting a program and reading its data vary by this much. */
const LEAST_SLACK_SECONDS = 1;

/**
 * What limits the time of a study's runs, by Pawl's clock. `time-boxed`: the baseline trains for about the contract's
 * seconds, so a longer run would have an unfair advantage. `fixed`: the code does a fixed amount of work, however
 * long that takes, and only `limit_seconds` ends it.
 */
export type RunBudget =
  | { readonly kind: 'fixed' }
  | {
      readonly kind: 'time-boxed';
      /** Duration of the baseline's whole run, from start to exit. */
      readonly baselineSeconds: number;
      /** A run that takes longer is ended; see {@link OverBudget}. */
      readonly allowedSeconds: number;
    };

/** One complete run of the baseline. It is the user's own code, so the training time it prints is believed. */
export type BaselineTime = { readonly seconds: number; readonly trainingSeconds: number | null };

/** Pure. Before a run of the baseline nothing is known, so nothing is ended. */
export function budgetOf(
  { seconds, tolerance }: Contract['budget'],
  baseline: readonly BaselineTime[],
): RunBudget {
  const middle = middleTime(baseline);
  if (!middle) return { kind: 'fixed' };
  if (Math.abs(trainedSeconds(middle) / seconds - 1) > BOXED_SHARE) return { kind: 'fixed' };
  const baselineSeconds = middle.seconds;
  const slack = Math.max(tolerance * seconds, tolerance > 0 ? LEAST_SLACK_SECONDS : 0);
  return { kind: 'time-boxed', baselineSeconds, allowedSeconds: baselineSeconds + slack };
}

/** The run with the median time; undefined if there is none. */
export function middleTime(runs: readonly BaselineTime[]): BaselineTime | undefined {
  return [...runs].sort((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)];
}

/** How long a run trained. Some programs print the time they were given, whatever they took. */
export function trainedSeconds(run: BaselineTime): number {
  return Math.min(run.trainingSeconds ?? run.seconds, run.seconds);
}

/**
 * A suggestion for `budget.seconds` if the code trains for this long: rounded to two digits, well within the
 * time-boxed range.
 */
function suggestedSeconds(trained: number): number {
  return Number(Math.max(trained, 0.1).toPrecision(2));
}

/** How a baseline's time compares with the contract. */
export type BudgetFit = {
  /** `budget.seconds` of the contract. */
  readonly seconds: number;
  /** How long the baseline trained, see {@link trainedSeconds}. */
  readonly trainedSeconds: number;
  readonly kind: RunBudget['kind'];
};

/** How much a baseline misses `budget.seconds`, and what to write there. */
export function describeBaselineTime({ seconds, trainedSeconds, kind }: BudgetFit): {
  readonly isFar: boolean;
  readonly text: string;
} {
  const trained = `It trains for ${trainedSeconds.toFixed(1)} s, and budget.seconds is ${seconds}`;
  if (kind === 'time-boxed')
    return {
      isFar: false,
      text: `${trained}: time-boxed, so no run may take longer than the baseline plus the tolerance.`,
    };
  const wanted = suggestedSeconds(trainedSeconds);
  return {
    isFar: true,
    text: `${trained}: fixed work, which only the limit ends. If it should stop by the clock, or to get correct estimates, write budget.seconds = ${wanted}.`,
  };
}

/** How run times will be limited, as far as known before a baseline has run. */
export function describePlannedBudget(
  { seconds, limitSeconds }: Pick<Contract['budget'], 'seconds' | 'limitSeconds'>,
  isNamed: boolean,
): string {
  const named = isNamed
    ? `budget.seconds is ${seconds}`
    : `budget.seconds is not set, so ${seconds} s are assumed`;
  const [least, most] = [seconds * (1 - BOXED_SHARE), seconds * (1 + BOXED_SHARE)].map(bound =>
    Number(bound.toFixed(1)),
  );
  return `${named}: time-boxed if the code trains for ${least} to ${most} s, otherwise fixed work up to its limit of ${formatSeconds(limitSeconds)}. The baseline will show which, and so does a metric check.`;
}

/** The evidence for ending a run that took longer than its limit. */
export type OverBudget = {
  /** How long it had run. */
  readonly seconds: number;
  readonly baselineSeconds: number;
  readonly allowedSeconds: number;
  /** Extra time it got before its first step, while its GPU was idle. */
  readonly startupSeconds: number;
};

/** Why a run was ended, for the user. */
export function describeOverBudget({
  seconds,
  baselineSeconds,
  allowedSeconds,
  startupSeconds,
}: OverBudget): string {
  const startup = startupSeconds > 0 ? ` plus ${formatSeconds(startupSeconds, 1)} for compiling` : '';
  return (
    `ended after ${formatSeconds(seconds, 1)}: the baseline takes ${formatSeconds(baselineSeconds, 1)} in all, and a run may take ` +
    `${formatSeconds(allowedSeconds, 1)}${startup}`
  );
}

/** Whether a study is time-boxed or fixed, for the user. */
export function describeBudget(budget: RunBudget, { limitSeconds }: Contract['budget']): string {
  return budget.kind === 'fixed'
    ? `Fixed work: a run may take up to its limit of ${formatSeconds(limitSeconds)}.`
    : `Time-boxed: the baseline takes ${formatSeconds(budget.baselineSeconds, 1)} in all, and a run is ended after ${formatSeconds(budget.allowedSeconds, 1)}.`;
}
