import {
  budgetOf,
  describeBaselineTime,
  describePlannedBudget,
  middleTime,
  trainedSeconds,
} from '../../shared/contract/budget.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import type { Finding } from '../../shared/contract/findings.ts';
import type { Repository } from '../git/repository.ts';
import { knownTimes } from '../stages/judge/known-times.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Add } from './training-input.ts';

/**
 * Whether the contract fixes time or work, as far as is known, and how much the code missed its budget.
 * @param found what the repository says about the budget, in seconds; null if it says nothing
 */
export function checkBudget(
  repository: Repository,
  contract: Contract,
  found: { readonly finding: Finding | undefined; readonly seconds: number } | null,
  ledger: Ledger | null,
  add: Add,
): void {
  const { budget } = contract;
  // A budget that the user set in place of the default is mentioned.
  const isNamed = !(found?.finding?.isDefault && found.seconds === budget.seconds);
  const times = ledger ? knownTimes(ledger, repository, contract) : [];
  const middle = middleTime(times);
  if (!middle) {
    add('budget', 'ok', describePlannedBudget(budget, isNamed));
    return;
  }
  const trained = trainedSeconds(middle);
  const { isFar, text } = describeBaselineTime({
    ...{ seconds: budget.seconds, trainedSeconds: trained, kind: budgetOf(budget, times).kind },
  });
  // A run shorter than the budget is often intended; then only the estimates are too long.
  const isLong = isFar && trained > budget.seconds;
  add('budget', isLong && isNamed ? 'warning' : 'ok', `The last baseline: ${text}`);
}
