import { PawlError } from '../../shared/errors.ts';
import {
  descriptionOf,
  type FileEdit,
  type Idea,
  type IdeaWords,
  ideaWordsSchema,
  isByHand,
} from '../../shared/proposers/ideas.ts';
import type { Study } from '../../shared/study.ts';
import { matchProposable } from '../contract/editable.ts';
import { listChangedFiles } from '../git/diff.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { type IdeaEdit, toldIdea } from '../store/ideas.ts';
import type { Ledger } from '../store/ledger.ts';
import { applyEdits } from './apply-edits.ts';
import { StudyReader } from './briefing/study-reader.ts';

/** Nobody orders more by hand, and it bounds the ledger. */
const MAX_WAITING = 200;

export type IdeaInput = {
  readonly author: string;
  readonly words: IdeaWords;
  /** Changes to the incumbent, or to the experiment of `again`; empty for an idea in words only. */
  readonly edits: readonly FileEdit[];
  /** The experiment whose edit is tried again; null for none. */
  readonly again: number | null;
  /** The experiment whose attempt the edits were based on; by default the incumbent. */
  readonly base?: number | null | undefined;
};

/** Rejects with `usage` if the queue is full. */
export function requireRoom(ledger: Ledger, study: string): void {
  // Ideas of proposers are counted separately.
  const own = ledger.ideas.waiting(study).filter(({ author }) => isByHand(author));
  if (own.length < MAX_WAITING) return;
  throw new PawlError('usage', `${MAX_WAITING} ideas wait already; drop some first.`);
}

/**
 * Adds an idea to the end of a study's queue. Rejects with `usage`, saying what to correct, if its words or edits are
 * wrong, and with `experiment_not_found`.
 */
export async function queueIdea(
  ports: { readonly ledger: Ledger; readonly paths: DataPaths; readonly now: () => number },
  study: Study,
  input: IdeaInput,
): Promise<Idea> {
  const { ledger, now } = ports;
  const { words, edits, again, author } = input;
  const parsed = ideaWordsSchema.safeParse(words);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new PawlError('usage', `${issue?.path.join('.') || 'The idea'}: ${issue?.message}`);
  }
  requireRoom(ledger, study.id);
  const edit = edits.length === 0 && again === null ? null : await readEdit(ports, study, input);
  const id = ledger.write(() =>
    ledger.ideas.add(study.id, { ...descriptionOf(parsed.data), author, at: now(), edit }),
  );
  const idea = ledger.ideas.get(study.id, id);
  if (!idea) throw new Error(`idea ${id} was not written`);
  return toldIdea(idea);
}

/** A commit's changes, to be tried again on another one. Rejects with `usage` if a file was removed, or is not text. */
export async function readChanges(
  { repository, reader }: { readonly repository: Repository; readonly reader: StudyReader },
  base: string,
  commit: string,
): Promise<IdeaEdit> {
  const files = new Map<string, string>();
  for (const { path } of commit === base ? [] : await listChangedFiles(repository, base, commit)) {
    const text = await reader.readFile(commit, path);
    if (text === null) {
      const message = `${path} was removed or is not text: such an edit cannot be tried again.`;
      throw new PawlError('usage', message);
    }
    files.set(path, text);
  }
  return { base, files, edits: [] };
}

async function readEdit(
  { ledger, paths }: { readonly ledger: Ledger; readonly paths: DataPaths },
  study: Study,
  { edits, again, base: of }: IdeaInput,
): Promise<IdeaEdit> {
  const repository = await openRepository(study.repositoryPath);
  const reader = new StudyReader(study, { ledger, repository, paths });
  const experiment = again === null ? null : ledger.experiments.get(study.id, again);
  if (again !== null && !experiment?.attemptCommit) {
    throw new PawlError(
      'experiment_not_found',
      `Experiment ${again} of ${study.tag} has no edit to try again.`,
    );
  }
  const base =
    experiment?.parentCommit ??
    (of == null ? null : ledger.experiments.get(study.id, of)?.attemptCommit) ??
    ledger.experiments.incumbent(study.id)?.commit ??
    study.baseCommit;
  const start = experiment?.attemptCommit ?? base;
  const changed = await readChanges({ repository, reader }, base, start);
  const files = new Map(changed.files);
  if (edits.length > 0) {
    const read = (path: string) => reader.readFile(start, path);
    const applied = await applyEdits(edits, matchProposable(study.contract), read);
    if (applied.kind === 'wrong') throw new PawlError('usage', applied.message);
    for (const [path, text] of applied.files) files.set(path, text);
  }
  if (files.size === 0)
    throw new PawlError('usage', `Experiment ${again} changed nothing that could be tried again.`);
  return { base, files, edits: again === null ? edits : [] };
}
