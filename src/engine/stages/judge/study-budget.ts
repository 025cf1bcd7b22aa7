import { type BaselineTime, budgetOf, type RunBudget } from '../../../shared/contract/budget.ts';
import type { Study } from '../../../shared/study.ts';
import type { Ledger } from '../../store/ledger.ts';
import { endedWell } from '../train/ended-run.ts';

/** The time that other runs get: what the baseline's own runs took. */
export function studyBudget({ id, contract }: Study, ledger: Ledger): RunBudget {
  return budgetOf(contract.budget, baselineTimes(id, ledger));
}

/**
 * How long the complete, fair runs of a study's baseline took. Runs with other data do not count, because their time
 * may differ.
 */
export function baselineTimes(id: string, ledger: Ledger): readonly BaselineTime[] {
  const runs = ledger.runs.list(id, 0).filter(({ purpose }) => purpose !== 'probe');
  return runs.flatMap(({ outcome, fairness, summary }) => {
    const seconds = fairness?.flags.some(({ isUnfair }) => isUnfair) ? undefined : fairness?.seconds;
    return endedWell(outcome) && seconds !== undefined
      ? [{ seconds, trainingSeconds: summary?.training_seconds ?? null }]
      : [];
  });
}
