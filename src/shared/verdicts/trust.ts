import type { Contract } from '../contract/contract.ts';

/**
 * Where a number comes from. `printed`: from the training, which ran like any of the user's programs. `guarded`: from
 * the training in a sandbox, where locked files are read-only or compared afterwards. `audited`: the same, and the
 * gain also showed with other validation data. `scored`: from a locked program, separate from the training.
 */
type Trust = 'printed' | 'guarded' | 'audited' | 'scored';

/**
 * @param isContained whether the run was contained; otherwise it could have reached the scorer too
 * @param isAudited whether it passed a probe
 */
export function trustOf({ score }: Pick<Contract, 'score'>, isContained: boolean, isAudited: boolean): Trust {
  if (!isContained) return 'printed';
  if (score !== null) return 'scored';
  return isAudited ? 'audited' : 'guarded';
}

export const TRUST_WORDS: Readonly<Record<Trust, string>> = {
  printed: 'printed without a sandbox',
  guarded: 'printed in the sandbox',
  audited: 'printed in the sandbox; its gain held with other validation data',
  scored: 'scored by a locked program',
};
