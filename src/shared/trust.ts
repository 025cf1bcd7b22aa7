import type { Contract } from './contract.ts';

/**
 * Whose word a number is. `printed`: the training's, which ran like any program of the user's. `guarded`: the training's, in a
 * sandbox, with what is locked read-only or compared afterwards. `scored`: a locked program's, apart from the training.
 */
export type Trust = 'printed' | 'guarded' | 'scored';

/** @param isContained whether the run was; what nothing contained could have reached the scorer as well */
export function trustOf({ score }: Pick<Contract, 'score'>, isContained: boolean): Trust {
  if (!isContained) return 'printed';
  return score === null ? 'guarded' : 'scored';
}

export const TRUST_WORDS: Readonly<Record<Trust, string>> = {
  printed: 'printed, not contained',
  guarded: 'printed in the sandbox',
  scored: 'scored by a locked program',
};
