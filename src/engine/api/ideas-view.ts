import { PawlError } from '../../shared/errors.ts';
import {
  descriptionOf,
  type EditableFiles,
  type Idea,
  type IdeaWords,
} from '../../shared/proposers/ideas.ts';
import type { Study } from '../../shared/study.ts';
import { matchProposable } from '../contract/editable.ts';
import { diffFiles } from '../git/diff.ts';
import { openRepository } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { StudyReader } from '../proposers/briefing/study-reader.ts';
import { requireRoom } from '../proposers/queue-idea.ts';
import { toldIdea } from '../store/ideas.ts';
import type { Ledger } from '../store/ledger.ts';
import { DIFF_CHARACTERS, requireExperiment, requireStudy } from './experiment-view.ts';

/** How many ideas that are no longer waiting are shown. */
const SHOWN_PAST = 50;
/** How many files a window can edit at once. */
const MAX_FILES = 20;
const MAX_CHARACTERS = 1_000_000;

/** The queue of a study, and the outcomes of earlier ideas. */
export function listIdeas(
  ledger: Ledger,
  study: string,
): { readonly waiting: readonly Idea[]; readonly past: readonly Idea[] } {
  requireStudy(ledger, study);
  return {
    waiting: ledger.ideas.waiting(study).map(toldIdea),
    past: ledger.ideas.past(study, SHOWN_PAST).map(toldIdea),
  };
}

/** Rejects with `usage` if the idea is no longer waiting. */
export function changeIdea(ledger: Ledger, study: string, id: number, words: IdeaWords): void {
  if (!ledger.write(() => ledger.ideas.say(study, id, descriptionOf(words)))) throw gone(id);
}

/** Rejects with `usage` if the idea is no longer waiting. */
export function dropIdea(ledger: Ledger, study: string, id: number): void {
  if (!ledger.write(() => ledger.ideas.drop(study, id))) throw gone(id);
}

/** Puts a dropped idea back at the end of the queue. Rejects with `usage` if it was not dropped, or if too many wait. */
export function restoreIdea(ledger: Ledger, study: string, id: number): void {
  requireRoom(ledger, study);
  if (!ledger.write(() => ledger.ideas.restore(study, id))) {
    throw new PawlError('usage', `Idea ${id} was not dropped.`);
  }
}

/** The diff of an idea's edit. Rejects with `usage` where there is no such idea, and with `not_a_repository`. */
export async function readIdeaDiff(
  { ledger, paths }: { readonly ledger: Ledger; readonly paths: DataPaths },
  studyId: string,
  id: number,
): Promise<{ readonly diff: string; readonly isCut: boolean }> {
  const study = requireStudy(ledger, studyId);
  const idea = ledger.ideas.get(studyId, id);
  if (!idea) throw new PawlError('usage', `There is no idea ${id} in ${study.tag}.`);
  if (!idea.edit) return { diff: '', isCut: false };
  const diff = await diffFiles(idea.edit, await openRepository(study.repositoryPath), paths.scratch);
  return { diff: diff.slice(0, DIFF_CHARACTERS), isCut: diff.length > DIFF_CHARACTERS };
}

function gone(id: number): PawlError {
  return new PawlError('usage', `Idea ${id} is no longer waiting: its turn has come, or it was dropped.`);
}

/** The texts of the editable files in an experiment's attempt, or in the incumbent if `n` is null. */
export async function readEditable(
  ports: { readonly ledger: Ledger; readonly paths: DataPaths },
  study: Study,
  n: number | null,
): Promise<EditableFiles> {
  const { ledger } = ports;
  const incumbent = n === null ? ledger.experiments.incumbent(study.id) : null;
  const commit =
    n === null ? (incumbent?.commit ?? study.baseCommit) : requireExperiment(ledger, study, n).attemptCommit;
  const of = n ?? incumbent?.n ?? null;
  if (commit === null) return { n: of, files: [] };
  const repository = await openRepository(study.repositoryPath);
  const reader = new StudyReader(study, { ...ports, repository });
  const isEditable = matchProposable(study.contract);
  const files: { path: string; text: string }[] = [];
  let left = MAX_CHARACTERS;
  for (const path of (await reader.listFiles(commit)).filter(isEditable).slice(0, MAX_FILES)) {
    const text = await reader.readFile(commit, path);
    if (text === null || text.length > left) continue;
    left -= text.length;
    files.push({ path, text });
  }
  return { n: of, files };
}
