import { budgetOf, type RunBudget } from '../../../shared/budget.ts';
import type { Study } from '../../../shared/study.ts';
import type { Ledger } from '../../store/ledger.ts';

/** How long the others have: what the baseline's own runs took, as far as they were fair. */
export function studyBudget({ id, contract }: Study, ledger: Ledger): RunBudget {
  // Other data may take another time.
  const runs = ledger.runs.list(id, 0).filter(({ purpose }) => purpose !== 'probe');
  const times = runs.flatMap(({ outcome, fairness, summary }) => {
    const isWhole = outcome?.kind === 'exit' && outcome.code === 0;
    const seconds = fairness?.flags.some(({ isUnfair }) => isUnfair) ? undefined : fairness?.seconds;
    return isWhole && seconds !== undefined
      ? [{ seconds, trainingSeconds: summary?.training_seconds ?? null }]
      : [];
  });
  return budgetOf(contract.budget, times);
}
