import { listed } from '../../../shared/listed.ts';
import { matchProposable } from '../../contract/editable.ts';
import { failed } from '../answer.ts';
import type { StudyReader } from '../briefing/study-reader.ts';
import { namesOf, type Tuning, tuningSchema } from '../briefing/tunings.ts';
import type { ProposalRequest, ProposerAnswer } from '../proposer.ts';
import { constantKey } from '../search/bounds.ts';
import { findConstants } from '../search/constants.ts';
import { readNumber } from '../search/literal.ts';
import { givenTo, readOverrides } from '../search/overrides.ts';
import { search } from '../search/search-proposer.ts';
import { writeFiles } from '../write-files.ts';
import { findUnanswered } from './submission.ts';
import { describeFault } from './tools.ts';

/** How many of a file's constants to list if a model names one that does not exist. */
const SHOWN_NAMES = 40;

/** Checks a model's tuning. Tells the model why, if it cannot be searched. */
export async function readTuning(
  input: unknown,
  request: ProposalRequest,
  reader: StudyReader,
  commit: string,
): Promise<Tuning | string> {
  const parsed = tuningSchema.safeParse(input);
  if (!parsed.success) return `The input is not valid: ${describeFault(parsed.error)}`;
  const unanswered = parsed.data.answer ? null : findUnanswered(request);
  if (unanswered !== null) return unanswered;
  const isEditable = matchProposable(request.contract);
  const overrides = await readOverrides(request.contract.train, path => reader.readFile(commit, path));
  for (const { file, name, low, high } of parsed.data.constants) {
    const source = isEditable(file) ? await reader.readFile(commit, file) : null;
    if (source === null) return `${file} is not an editable file.`;
    const found = findConstants(file, source, givenTo(file, request.contract, overrides));
    const constant = found.find(other => other.name === name);
    if (!constant) {
      const known = found.map(other => other.name);
      const has = known.length > 0 ? listed(known, SHOWN_NAMES) : 'none';
      return `${file} has no constant ${name} that the search can change. It has: ${has}.`;
    }
    const value = readNumber(constant.literal);
    if (value === null) return `${name} is not a number.`;
    if (!(low <= value && value <= high && low < high)) {
      return `The range of ${name} must contain its value ${constant.literal.text} and another.`;
    }
  }
  return { ...parsed.data, first: request.n, left: parsed.data.experiments, strategy: 'ladder' };
}

/** Writes the next experiment of a tuning into the worktree. `exhausted` if nothing in the ranges is left. */
export async function tune(
  tuning: Tuning,
  request: ProposalRequest,
  reader: StudyReader,
  commit: string,
  root: string,
  signal: AbortSignal,
): Promise<Exclude<ProposerAnswer, { kind: 'blocked' | 'spent' }>> {
  // The sources of all constants, as the search alone would see them, so that each knows what the other has tried.
  const sources = new Map<string, string>();
  for (const file of (await reader.listFiles(commit)).filter(matchProposable(request.contract)).sort()) {
    const text = await reader.readFile(commit, file);
    if (text !== null) sources.set(file, text);
  }
  const bounds = new Map(tuning.constants.map(constant => [constantKey(constant), constant]));
  const overrides = await readOverrides(request.contract.train, path => reader.readFile(commit, path));
  const found = await search(
    sources,
    overrides,
    { seed: tuning.first, strategy: tuning.strategy },
    { ...request, incumbent: request.start },
    bounds,
    signal,
  );
  if (typeof found === 'string') return { kind: 'exhausted', message: found };
  const fault = await writeFiles(root, found.files, await reader.listFiles(commit));
  if (fault !== null) return failed(fault);
  const { proposal } = found;
  const isFirst = tuning.first === request.n;
  return {
    kind: 'proposed',
    proposal: {
      ...proposal,
      rationale: isFirst
        ? `${tuning.hypothesis}\n\n${tuning.rationale}${tuning.answer ? `\n\nTo your note: ${tuning.answer}` : ''}\n\nThe search tries up to ${tuning.experiments} values of ${namesOf(tuning)}. ${proposal.rationale ?? ''}`
        : `The search continues the tuning that began with #${tuning.first}: ${tuning.hypothesis}. ${proposal.rationale ?? ''}`,
      category: 'tuning',
      memo: {
        ...(proposal.memo as object),
        mode: 'tune',
        ...(isFirst ? { answered: request.steering.length } : {}),
        tuning: { ...tuning, left: tuning.left - 1 },
      },
    },
  };
}
