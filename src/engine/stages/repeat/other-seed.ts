import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../../shared/contract/contract.ts';
import type { Repository } from '../../git/repository.ts';
import { findConstants } from '../../proposers/search/constants.ts';
import { givenBy } from '../../proposers/search/given.ts';
import { applyMoves } from '../../proposers/search/search-proposer.ts';
import { findSeed } from '../../proposers/search/survey.ts';

/**
 * Changes the seed in the checked-out files: nothing is committed, and the next checkout undoes it. False if no
 * editable file has a whole number that is named as a seed.
 * @param offset added to the seed
 */
export async function takeOtherSeed(
  worktree: string,
  repository: Repository,
  commit: string,
  contract: Contract,
  offset: number,
): Promise<boolean> {
  const seed = await findSeed(repository, commit, contract);
  if (!seed) return false;
  const { file, name, value, text } = seed;
  const path = join(worktree, file);
  const source = (await readFile(path)).toString('latin1');
  const constants = findConstants(file, source, givenBy(contract), other => other === name);
  const move = { file, name, direction: 'other', from: text, to: String(value + offset) } as const;
  await writeFile(path, applyMoves(source, constants, [move], file), 'latin1');
  return true;
}
