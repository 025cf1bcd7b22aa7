import { describeOverBudget, type OverBudget } from '../contract/budget.ts';
import { describePrune, type PruneEvidence } from './prune.ts';

/** Why Pawl ended a run that was still training; the result is a discard without a number. */
export type EarlyEnd = { readonly pruned: PruneEvidence } | { readonly overBudget: OverBudget };

export function reasonOf(early: EarlyEnd): 'pruned' | 'over_budget' {
  return 'pruned' in early ? 'pruned' : 'over_budget';
}

/** A sentence for a reader; null if the run ended by itself. */
export function describeEarlyEnd({
  pruned,
  overBudget,
}: {
  readonly pruned?: PruneEvidence;
  readonly overBudget?: OverBudget;
}): string | null {
  if (pruned) return describePrune(pruned);
  return overBudget ? describeOverBudget(overBudget) : null;
}
