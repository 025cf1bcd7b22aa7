import type { GuardFailure } from './guard.ts';

/** The reason of a verdict and, if the contract refused its number, the check or condition that failed. */
export type ShownReason = {
  readonly reason: string;
  readonly guard?: Pick<GuardFailure, 'kind' | 'name'> | undefined;
};

/** Why an experiment has its verdict, in the user's words. */
export function reasonWords({ reason, guard }: ShownReason): string {
  if (reason === 'timeout') return 'timed out';
  if (reason !== 'guard') return reason.replaceAll('_', ' ');
  if (guard?.kind === 'require') return `a condition of yours was not met: ${guard.name}`;
  return guard ? `a check of yours failed: ${guard.name}` : 'a check of yours failed';
}
