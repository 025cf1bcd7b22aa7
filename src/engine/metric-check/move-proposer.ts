import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposer } from '../proposers/proposer.ts';
import type { Move } from '../proposers/search/choice.ts';
import { findConstants } from '../proposers/search/constants.ts';
import { givenBy } from '../proposers/search/given.ts';
import { applyMoves } from '../proposers/search/search-proposer.ts';

/** Proposes the code with one constant changed, until `next` has no further change. */
export function moveProposer(next: (n: number) => Move | null): Proposer {
  return {
    canRepair: false,
    maxRefusals: 1,
    async propose({ n, contract }, { worktree }) {
      const move = next(n);
      if (move === null) return { kind: 'exhausted', message: 'Nothing more is tried.' };
      const path = join(worktree.path, move.file);
      const source = (await readFile(path)).toString('latin1');
      const constants = findConstants(move.file, source, givenBy(contract), name => name === move.name);
      await writeFile(path, applyMoves(source, constants, [move], move.file), 'latin1');
      const hypothesis = `${move.name} = ${move.to} instead of ${move.from}, to see how the number reacts`;
      return {
        kind: 'proposed',
        proposal: { hypothesis, rationale: null, predictedEffect: null, category: 'check', memo: null },
      };
    },
  };
}
