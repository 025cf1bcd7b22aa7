import type { Contract } from './contract.ts';

/**
 * Whose word a number is. `printed`: the training's, which ran like any program of the user's. `guarded`: the training's, in a
 * sandbox, with what is locked read-only or compared afterwards. `audited`: the same, and its gain was there with other validation
 * data too. `scored`: a locked program's, apart from the training.
 */
export type Trust = 'printed' | 'guarded' | 'audited' | 'scored';

/**
 * @param isContained whether the run was; what nothing contained could have reached the scorer as well
 * @param isAudited whether a probe let it pass
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
