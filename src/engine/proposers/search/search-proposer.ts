import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposal } from '../../../shared/study.ts';
import type { ProposalRequest, Proposer } from '../proposer.ts';
import { type Constant, findConstants } from './constants.ts';
import { givenBy } from './given.ts';
import { boundsOf, meet } from './notes.ts';
import { seededRandom } from './random.ts';
import { type Bounds, type Choice, chooseMove, type Move } from './strategy.ts';

/** Larger files are not source code anyone tunes. */
export const MAX_SOURCE_BYTES = 1024 * 1024;

/** What is said of editable files that the search can do nothing with. */
export const NO_CONSTANTS =
  'The editable files have no constants that the search may change: NAME = number at the beginning of a line, a default of an environment variable or an option, a field of a dataclass, or a value in JSON, TOML or YAML.';

/**
 * The proposer that needs nothing: turns the constants of the editable files, learning from the verdicts. The
 * history is its only state, so a resumed study goes on as if it had never stopped. docs/search.md says how it
 * chooses; agents are to be judged against it.
 */
export function searchProposer(seed: number): Proposer {
  return {
    canRepair: false,
    maxRefusals: 50,
    async propose(request, { worktree, editableFiles }) {
      const sources = new Map<string, string>();
      for (const file of editableFiles) {
        const content = await readFile(join(worktree.path, file));
        // latin1 gives every byte back as it was.
        if (content.length <= MAX_SOURCE_BYTES) sources.set(file, content.toString('latin1'));
      }
      const found = search(sources, seed, request, null);
      if (typeof found === 'string') return { kind: 'exhausted', message: found };
      for (const [file, text] of found.files) await writeFile(join(worktree.path, file), text, 'latin1');
      return { kind: 'proposed', proposal: found.proposal };
    },
  };
}

/**
 * The next change of the search, with the new texts of the files it changes; in words where it has none.
 * @param sources texts by path
 * @param bounds the constants that may be turned, and how far; null for all
 */
export function search(
  sources: ReadonlyMap<string, string>,
  seed: number,
  request: Pick<ProposalRequest, 'n' | 'history' | 'refusals' | 'contract' | 'steering'>,
  bounds: Bounds | null,
): { readonly proposal: Proposal; readonly files: ReadonlyMap<string, string> } | string {
  const given = givenBy(request.contract);
  const constants = [...sources].flatMap(([file, source]) => findConstants(file, source, given));
  if (constants.length === 0) return NO_CONSTANTS;
  const refused = request.refusals.map(refusal => refusal.memo);
  const random = seededRandom(seed, request.n, request.refusals.length);
  const notes = request.steering.map(({ text }) => text);
  const allowed = meet(bounds, boundsOf(notes, constants));
  const choice = chooseMove(constants, request.history, refused, random, allowed);
  if (!choice) return 'Every combination within reach was tried.';
  const files = new Map<string, string>();
  for (const [file, source] of sources) {
    const changed = applyMoves(source, constants, choice.moves, file);
    if (changed !== source) files.set(file, changed);
  }
  const sign = request.contract.metric.goal === 'minimize' ? -1 : 1;
  return { proposal: describe(choice, sign, sources.size > 1), files };
}
function applyMoves(
  source: string,
  constants: readonly Constant[],
  moves: readonly Move[],
  file: string,
): string {
  let result = source;
  const backwards = constants.filter(constant => constant.file === file).sort((a, b) => b.start - a.start);
  for (const { name, start, end } of backwards) {
    const move = moves.find(candidate => candidate.file === file && candidate.name === name);
    if (move) result = result.slice(0, start) + move.to + result.slice(end);
  }
  return result;
}

function describe(choice: Choice, sign: number, namesFile: boolean) {
  const verbs = { up: 'raise', down: 'lower', other: 'set' } as const;
  const parts = choice.moves.map(
    ({ name, direction, from, to, file }) =>
      `${verbs[direction]} ${name} from ${from} to ${to}${namesFile ? ` in ${file}` : ''}`,
  );
  const sentence = parts.join(' and ');
  return {
    hypothesis: (sentence[0] ?? '').toUpperCase() + sentence.slice(1),
    rationale: choice.because,
    predictedEffect: choice.expectedGain === null ? null : sign * choice.expectedGain,
    category: choice.moves.length > 1 ? 'constants' : 'constant',
    memo: choice.memo,
  };
}
