import type { Contract } from '../../../shared/contract/contract.ts';
import { type Crash, type Evidence, isBetter, type Verdict } from '../../../shared/study.ts';
import { type EarlyEnd, reasonOf } from '../../../shared/verdicts/early-end.ts';
import type { FlagKind, ScreenedOut } from '../../../shared/verdicts/fairness.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import type { Hint, ProbeEvidence, ProbeReason } from '../../../shared/verdicts/probes.ts';

/** An attempt whose parent was no longer the incumbent when it was measured. */
export type Late = {
  readonly parent: {
    readonly experiment: number;
    /** The mean of the parent's runs. */
    readonly value: number;
  };
  /**
   * Experiments of the branch that the attempt does not contain, oldest first; null if it contains one that was taken
   * back.
   */
  readonly missing: readonly number[] | null;
};

export type DecideInput = {
  readonly metric: Contract['metric'];
  /** Index `k` of the run that gave the numbers. */
  readonly run: number;
  readonly crash: Crash | null;
  readonly value: number | null;
  readonly memory: number | null;
  /** Null for the baseline, which has nothing to compare with. */
  readonly incumbent: {
    readonly experiment: number;
    /** The mean of the incumbent's runs. */
    readonly value: number;
    readonly runs: number;
  } | null;
  /** Set if the attempt was not made on the incumbent. */
  readonly late?: Late | null;
  /**
   * The worst number with which an attempt of fewer lines is still kept; see {@link simplifiedBound}. Null before
   * there is an incumbent.
   */
  readonly simplifiedBound: number | null;
  /** Non-blank lines of the editable files, attempt minus incumbent. */
  readonly sourceLinesDelta: number;
  /** Why the number was not measured fairly although it decides. */
  readonly unfair: readonly FlagKind[];
  /** Where its number is no gain on the same hardware; null if there is no such comparison, or it is one. */
  readonly screenedOut?: ScreenedOut | null;
  /** Why its run was ended early; null if it was not. */
  readonly early: EarlyEnd | null;
  /** The condition or check of the contract that failed; null if all passed. */
  readonly guard: GuardFailure | null;
  /** The source of the number, if no program of the run printed it; otherwise null. */
  readonly source: string | null;
  /** Reasons for a closer look. */
  readonly hints: readonly Hint[];
  /** What other data showed: a reason if it speaks against the number; null if there was no probe. */
  readonly probe: { readonly reason: ProbeReason | null; readonly evidence: ProbeEvidence } | null;
};

/**
 * Keeps a number that beats the incumbent's record by at least the contract's minimum gain, and discards an equal or
 * worse one; one about as good, with fewer lines, is kept as `simplified`. A crash or a missing metric always stays
 * one. An attempt that was made on another commit replaces the incumbent if it is better, and is never kept for any
 * other reason. Discards a number whose guards fail, even the baseline's, and one that does not come from the data. A
 * run that was ended because it could not reach the incumbent is a discard without a number.
 */
export function decide(input: DecideInput): Verdict {
  const { crash, value, memory, incumbent, metric } = input;
  const evidence: Evidence = {
    run: input.run,
    ...(value === null ? {} : { metric: value }),
    ...(memory === null ? {} : { memory }),
    ...(incumbent && { incumbentExperiment: incumbent.experiment, incumbentMetric: incumbent.value }),
    ...(incumbent && incumbent.runs > 1 && { incumbentRuns: incumbent.runs }),
    ...(incumbent && { sourceLinesDelta: input.sourceLinesDelta }),
    ...(input.late && {
      lateParent: { experiment: input.late.parent.experiment, record: input.late.parent.value },
    }),
    ...(input.unfair.length > 0 && { unfair: input.unfair }),
    ...(input.screenedOut && { screenedOut: input.screenedOut }),
    ...input.early,
    ...(input.guard && { guard: input.guard }),
    ...(input.source !== null && { source: input.source }),
    ...(input.hints.length > 0 && { hints: input.hints }),
    ...(input.probe && { probe: input.probe.evidence }),
  };
  if (crash) return { word: 'crash', reason: crash.class, evidence };
  if (input.unfair.includes('other_hardware'))
    return { word: 'discard', reason: input.screenedOut ? 'screened' : 'other_hardware', evidence };
  if (input.early) return { word: 'discard', reason: reasonOf(input.early), evidence };
  // Even without a number, if that would have come later.
  if (input.guard) return { word: 'discard', reason: 'guard', evidence };
  if (value === null) return { word: 'crash', reason: 'no_metric', evidence };
  if (!incumbent) return { word: 'keep', reason: 'baseline', evidence };
  if (metric.memoryLimit !== null && memory !== null && memory > metric.memoryLimit) {
    return { word: 'discard', reason: 'memory_limit', evidence };
  }
  if (input.late?.missing === null) return { word: 'discard', reason: 'rolled_back', evidence };
  if (input.probe?.reason) return { word: 'discard', reason: input.probe.reason, evidence };
  if (isGain(metric, value, incumbent.value)) {
    const supersedes = input.late?.missing ? { supersedes: input.late.missing } : {};
    return { word: 'keep', reason: 'better', evidence: { ...evidence, ...supersedes } };
  }
  const bound = input.simplifiedBound ?? incumbent.value;
  if (!input.late && input.sourceLinesDelta < 0 && !isBetter(metric.goal, bound, value))
    return { word: 'keep', reason: 'simplified', evidence };
  // A gain too small to count is not a loss.
  const isWorse = isBetter(metric.goal, incumbent.value, value);
  return { word: 'discard', reason: isWorse ? 'worse' : 'equal', evidence };
}

/** Whether a number is better than another by at least the contract's minimum gain. */
export function isGain({ goal, leastGain }: Contract['metric'], value: number, before: number): boolean {
  return Math.abs(value - before) >= leastGain && isBetter(goal, value, before);
}
