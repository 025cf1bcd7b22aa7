import { armsOf, canRead, proposerLabel } from '../../shared/proposers/proposers.ts';
import type { SteeringEffect } from '../../shared/steering.ts';
import type { Study } from '../../shared/study.ts';
import { openRepository } from '../git/repository.ts';
import { readNote } from '../proposers/search/notes.ts';
import { surveyConstants } from '../proposers/search/survey.ts';
import type { Ledger } from '../store/ledger.ts';

/** Which proposers read a note, and what it means to those that cannot read. Changes nothing. */
export async function steeringEffect(ledger: Ledger, study: Study, text: string): Promise<SteeringEffect> {
  const arms = armsOf(study.proposer);
  const readers = arms.filter(canRead).map(proposerLabel);
  const followed = readers.length === 0 ? [] : [`It goes with the next proposal to ${readers.join(', ')}.`];
  if (!arms.some(({ kind }) => kind === 'search')) {
    const problems =
      readers.length === 0 ? ['A folder of patches cannot read notes; the note is kept for you.'] : [];
    return { followed, problems };
  }
  const repository = await openRepository(study.repositoryPath);
  const commit = ledger.experiments.incumbent(study.id)?.commit ?? study.baseCommit;
  const { constants } = await surveyConstants(repository, commit, study.contract, Number.POSITIVE_INFINITY);
  const note = readNote(text, constants);
  // If another proposer reads the note, plain words in it are not a problem.
  const problems = readers.length > 0 && note.followed.length === 0 ? [] : note.problems;
  return { followed: [...followed, ...note.followed], problems };
}
