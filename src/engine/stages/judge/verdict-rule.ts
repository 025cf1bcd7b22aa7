import type { Contract, VerdictRule } from '../../../shared/contract.ts';

/**
 * Whether a run can be repeated so that its number says something new. One that comes days later, or is typed in, is not asked for
 * twice; and a model that the training asks answers the same question once in a study.
 */
export function canRepeat({ metric, model }: Contract): boolean {
  return metric.waitSeconds === null && model === null;
}

/** The rule in force. */
export function ruleOf(contract: Contract): VerdictRule {
  return canRepeat(contract) ? (contract.metric.verdict ?? 'honest') : 'greedy';
}
