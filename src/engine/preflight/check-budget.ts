import {
  budgetOf,
  describeBaselineTime,
  describePlannedBudget,
  middleTime,
  trainedSeconds,
} from '../../shared/budget.ts';
import type { Contract } from '../../shared/contract.ts';
import type { Finding } from '../../shared/findings.ts';
import type { Repository } from '../git/repository.ts';
import { knownTimes } from '../stages/judge/known-times.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Add } from './check-training.ts';

/**
 * Whether the contract is time-boxed or fixed work, as far as that is known, and how far off its budget the code was.
 * @param found what the repository says of the budget, with the seconds that come of it; null where it says nothing
 */
export function checkBudget(
  repository: Repository,
  contract: Contract,
  found: { readonly finding: Finding | undefined; readonly seconds: number } | null,
  ledger: Ledger | null,
  add: Add,
): void {
  const { budget } = contract;
  // A number that somebody wrote over what was assumed is named.
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
  // Less work than the budget is often meant: then only estimates are too long.
  const isLong = isFar && trained > budget.seconds;
  add('budget', isLong && isNamed ? 'warning' : 'ok', `The last baseline: ${text}`);
}
