import { readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { SearchSettings } from '../../../shared/proposers/proposers.ts';
import type { Proposal } from '../../../shared/study.ts';
import type { ProposalRequest, Proposer } from '../proposer.ts';
import type { Bounds } from './bounds.ts';
import type { Move } from './choice.ts';
import { chooseInWorker } from './choose-in-worker.ts';
import type { Constant } from './constant.ts';
import { findConstants } from './constants.ts';
import { describeChoice } from './describe-choice.ts';
import { chooseMove } from './ladder.ts';
import { boundsOf, meet } from './notes.ts';
import { givenTo, MAX_OVERRIDE_BYTES, type Overrides, readOverrides } from './overrides.ts';
import { seededRandom } from './random.ts';

/** Nobody tunes larger files. */
export const MAX_SOURCE_BYTES = 1024 * 1024;

/** The message if the editable files contain nothing that the search can change. */
export const NO_CONSTANTS =
  'The editable files have no constants that the search may change: NAME = number at the beginning of a line, a default of an environment variable or an option, a field of a dataclass, or a value in JSON, TOML or YAML.';

/**
 * A proposer that needs no model: it changes constants in the editable files and learns from the verdicts. The
 * history is its only state, so a resumed study continues as if it had never stopped. docs/search.md explains how it
 * chooses. It is the standard that agents should be judged against.
 */
export function searchProposer(settings: SearchSettings): Proposer {
  return {
    canRepair: false,
    maxRefusals: 50,
    async propose(request, { worktree, editableFiles, signal }) {
      const sources = new Map<string, string>();
      for (const file of editableFiles) {
        const content = await readFile(join(worktree.path, file));
        // latin1 preserves every byte.
        if (content.length <= MAX_SOURCE_BYTES) sources.set(file, content.toString('latin1'));
      }
      const overrides = await readOverrides(request.contract.train, path => readIn(worktree.path, path));
      const asked = { ...request, incumbent: request.start };
      const found = await search(sources, overrides, settings, asked, null, signal);
      if (typeof found === 'string') return { kind: 'exhausted', message: found };
      for (const [file, text] of found.files) await writeFile(join(worktree.path, file), text, 'latin1');
      return { kind: 'proposed', proposal: found.proposal };
    },
  };
}

/** The text of a plain file in a folder, also as a command would name it; null if it is none. */
async function readIn(folder: string, path: string): Promise<string | null> {
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(join(folder, path))]);
    const { size } = await stat(real);
    if (!real.startsWith(root + sep) || size > MAX_OVERRIDE_BYTES) return null;
    return (await readFile(real)).toString('latin1');
  } catch {
    return null;
  }
}

/**
 * The next change of the search, with the new texts of the changed files; a message if there is none.
 * @param sources texts by path
 * @param bounds the constants that may be changed, and their ranges; null for all
 */
export async function search(
  sources: ReadonlyMap<string, string>,
  overrides: Overrides,
  { seed, strategy = 'ladder' }: Omit<SearchSettings, 'kind'>,
  request: Pick<
    ProposalRequest,
    'n' | 'history' | 'refusals' | 'running' | 'contract' | 'steering' | 'incumbent'
  >,
  bounds: Bounds | null,
  signal: AbortSignal,
): Promise<{ readonly proposal: Proposal; readonly files: ReadonlyMap<string, string> } | string> {
  const constants = [...sources].flatMap(([file, source]) =>
    findConstants(file, source, givenTo(file, request.contract, overrides)),
  );
  if (constants.length === 0) return NO_CONSTANTS;
  const { history, incumbent } = request;
  const { goal } = request.contract.metric;
  const refused = request.refusals.map(({ memo }) => memo);
  // Experiments in training are not in the history yet.
  const pending = request.running.map(({ memo }) => memo);
  const seeds = [seed, request.n, request.refusals.length];
  const notes = request.steering.map(({ text }) => text);
  const allowed = meet(bounds, boundsOf(notes, constants));
  const choice =
    strategy === 'ladder'
      ? chooseMove(constants, history, refused, seededRandom(...seeds), allowed, pending)
      : await chooseInWorker(
          { constants, history, refused, pending, incumbent, goal, seeds, bounds: allowed },
          signal,
        );
  if (!choice) return 'Every reachable combination was tried.';
  const files = new Map<string, string>();
  for (const [file, source] of sources) {
    const changed = applyMoves(source, constants, choice.moves, file);
    if (changed !== source) files.set(file, changed);
  }
  return { proposal: describeChoice(choice, goal, sources.size > 1), files };
}

/** A file's text with its constants changed. */
export function applyMoves(
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
