import type { Contract, VerdictRule } from '../../../shared/contract.ts';

/**
 * Whether a run can be repeated so that its number says something new. One that comes days later, or is typed in, is not asked for
 * twice; and a model that the training asks answers the same question once in a study.
 */
export function canRepeat({ metric, model }: Contract): boolean {
  return metric.waitSeconds === null && model === null;
}

/** Whether a contract names data to swap, to see where a number comes from. A scorer has its own data. */
export function canProbe(contract: Contract): boolean {
  return contract.audit.swaps.length > 0 && contract.score === null && canRepeat(contract);
}

/** The rule in force. */
export function ruleOf(contract: Contract): VerdictRule {
  return canRepeat(contract) ? (contract.metric.verdict ?? 'honest') : 'greedy';
}
