import { type BaselineTime, budgetOf, type RunBudget } from '../../../shared/contract/budget.ts';
import type { Run, Study } from '../../../shared/study.ts';
import type { Fairness } from '../../../shared/verdicts/fairness.ts';
import type { Ledger } from '../../store/ledger.ts';
import { endedWell } from '../train/ended-run.ts';
import { isContention, isUsuallyContended, USUAL_RUNS } from './fairness.ts';

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
  return fairTimes(runs, ledger.runs.latestFairness(id, USUAL_RUNS));
}

/**
 * Pure. Where other programs always take the processors, runs that they slowed count too: every run will take as long.
 * @param latest the fairness of the study's last runs, newest first
 */
export function fairTimes(
  runs: readonly Pick<Run, 'outcome' | 'fairness' | 'summary'>[],
  latest: readonly Fairness[],
): readonly BaselineTime[] {
  const isBusy = isUsuallyContended(latest);
  return runs.flatMap(({ outcome, fairness, summary }) => {
    const isUnfair = fairness?.flags.some(flag => flag.isUnfair && !(isBusy && isContention(flag)));
    const seconds = isUnfair ? undefined : fairness?.seconds;
    return endedWell(outcome) && seconds !== undefined
      ? [{ seconds, trainingSeconds: summary?.training_seconds ?? null }]
      : [];
  });
}
