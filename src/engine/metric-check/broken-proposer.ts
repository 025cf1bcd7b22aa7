import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposer } from '../proposers/proposer.ts';
import type { Move } from '../proposers/search/choice.ts';
import { type Constant, findConstants } from '../proposers/search/constants.ts';
import { givenBy } from '../proposers/search/given.ts';
import { applyMoves } from '../proposers/search/search-proposer.ts';

/** Proposes one edit, the code with a constant broken, and then nothing more; nothing at all where there is none to break. */
export function brokenProposer(move: Move | null): Proposer {
  return {
    canRepair: false,
    maxRefusals: 1,
    async propose({ n, contract }, { worktree }) {
      if (move === null || n > 1) return { kind: 'exhausted', message: 'Nothing more is tried.' };
      const path = join(worktree.path, move.file);
      const source = (await readFile(path)).toString('latin1');
      const constants: readonly Constant[] = findConstants(move.file, source, givenBy(contract));
      await writeFile(path, applyMoves(source, constants, [move], move.file), 'latin1');
      const hypothesis = `${move.name} = ${move.to} in place of ${move.from}, to see whether the number notices`;
      return {
        kind: 'proposed',
        proposal: { hypothesis, rationale: null, predictedEffect: null, category: 'check', memo: null },
      };
    },
  };
}
