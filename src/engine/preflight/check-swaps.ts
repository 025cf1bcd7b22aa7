import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import { matchEditable } from '../contract/editable.ts';
import { isBelow } from '../paths.ts';
import type { CommitFiles, Trial } from '../sandbox/contain.ts';
import { inHome } from '../sandbox/withheld.ts';
import { ruleOf } from '../stages/judge/verdict-rule.ts';
import type { Add, TrainingInput } from './training-input.ts';

/**
 * Data that is swapped to test whether a number comes from it. Data that is not committed may still come from the
 * set-up command.
 */
export function checkSwaps(
  { contract, environment }: TrainingInput,
  { tree }: CommitFiles,
  { sandbox }: Trial,
  add: Add,
): void {
  const { swaps } = contract.audit;
  if (swaps.length === 0 || contract.source === 'autoresearch') return;
  const idle = findIdleSwap(contract, sandbox !== null);
  if (idle !== null) {
    add('audit data', 'warning', `audit.swap has no effect: ${idle}`);
    return;
  }
  const isEditable = matchEditable(contract.editable);
  for (const named of swaps.flatMap(({ path, other }) => [path, other])) {
    const path = inHome(named, environment.HOME ?? homedir());
    const isInside = !isAbsolute(path);
    const isThere = isInside ? tree.some(file => isBelow(file.path, path)) : existsSync(path);
    if (
      isInside &&
      (isEditable(path) || tree.some(file => isBelow(file.path, path) && isEditable(file.path)))
    )
      add('audit data', 'failed', `${named}, which audit.swap names, is or contains an editable file.`);
    else if (isThere) add('audit data', 'ok', named);
    else if (isInside && contract.setup !== null)
      add(
        'audit data',
        'warning',
        `${named}, which audit.swap names, is not committed: the set-up command has to make it.`,
      );
    else add('audit data', 'failed', `${named}, which audit.swap names, does not exist.`);
  }
}

function findIdleSwap(contract: Contract, isContained: boolean): string | null {
  if (contract.score !== null) return '[score] gives the number, from its own data.';
  if (ruleOf(contract) === 'greedy') return 'a greedy verdict takes each number as it is.';
  return isContained ? null : 'nothing is contained, so data cannot be swapped.';
}
