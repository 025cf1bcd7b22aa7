import type { Contract } from './contract.ts';

/**
 * Who could have written a number other than the code it is of. `printed`: the training, which ran like any program of the
 * user's. `guarded`: the training, which could reach nothing that is locked. `scored`: a locked program, apart from the training.
 */
export type Trust = 'printed' | 'guarded' | 'scored';

/** @param isContained whether the run was; what nothing contained could have reached the scorer as well */
export function trustOf({ score }: Pick<Contract, 'score'>, isContained: boolean): Trust {
  if (!isContained) return 'printed';
  return score === null ? 'guarded' : 'scored';
}

export const TRUST_WORDS: Readonly<Record<Trust, string>> = {
  printed: 'printed by the training, which nothing contained',
  guarded: 'printed by the training, which could change nothing that is locked',
  scored: 'scored apart from the training, by a locked program',
};
