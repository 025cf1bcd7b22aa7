import type { Contract, VerdictRule } from '../../../shared/contract/contract.ts';

/**
 * Whether repeating a run gives new information. A number that arrives days later, or is typed in, is not asked for
 * twice; and a model that trainings ask answers the same question only once per study.
 */
export function canRepeat({ metric, model }: Contract): boolean {
  return metric.waitSeconds === null && model === null;
}

/** Whether a contract names data to swap, to see where a number comes from. A scorer has its own data. */
export function canProbe(contract: Contract): boolean {
  return contract.audit.swaps.length > 0 && contract.score === null && canRepeat(contract);
}

/** The verdict rule of a contract. */
export function ruleOf(contract: Contract): VerdictRule {
  return canRepeat(contract) ? (contract.metric.verdict ?? 'honest') : 'greedy';
}
