import { existsSync } from 'node:fs';
import { openRepository, readRef } from '../engine/git/repository.ts';
import type { Ledger } from '../engine/store/ledger.ts';
import { PawlError } from '../shared/errors.ts';
import type { Study } from '../shared/study.ts';

/**
 * The study to continue: the latest in the path's repository, with the given tag if there is one; else one whose
 * repository has moved to the path. Never one in another repository, unless its tag is named. Rejects with
 * `study_not_found`, `not_a_repository`.
 */
export async function findStudyToRun(ledger: Ledger, path: string, tag: string | undefined): Promise<Study> {
  const candidates = ledger.studies.list().filter(study => tag === undefined || study.tag === tag);
  const named = tag === undefined ? undefined : candidates[0];
  const repository = await openRepository(path).catch(error => {
    if (named) return null;
    throw error;
  });
  const own = candidates.find(study => study.gitDir === repository?.gitDir);
  if (own) return own;
  for (const study of candidates) {
    const hasMoved = study.gitDir !== '' && !existsSync(study.gitDir);
    if (repository && hasMoved && (await readRef(repository, study.baseCommit)) !== null) return study;
  }
  if (named) return named;
  throw new PawlError(
    'study_not_found',
    `${repository?.path} has no study${tag === undefined ? '' : ` "${tag}"`} to continue. Start one with "pawl run".`,
  );
}
