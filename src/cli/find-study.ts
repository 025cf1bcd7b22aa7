import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { openRepository, readRef } from '../engine/git/repository.ts';
import type { Ledger } from '../engine/store/ledger.ts';
import { PawlError } from '../shared/errors.ts';
import type { Study } from '../shared/study.ts';

/**
 * The study meant by a path and a tag: the latest of the path's repository, of that tag where one is given. A path
 * without studies of its own (or outside any repository) stands for all. Rejects with `study_not_found`, and with
 * `not_a_repository` where there is nothing at the path.
 */
export async function findStudy(ledger: Ledger, path: string, tag: string | undefined): Promise<Study> {
  const all = ledger.studies.list();
  if (all.length === 0) {
    throw new PawlError('study_not_found', 'There is no study yet. Start one with "pawl run <repository>".');
  }
  const gitDir = await openRepository(path).then(
    repository => repository.gitDir,
    () => null,
  );
  const here = await realpath(path).catch(() => path);
  const own = all.filter(
    study => study.gitDir !== '' && (study.gitDir === gitDir || study.repositoryPath === here),
  );
  if (own.length === 0 && !existsSync(path)) {
    throw new PawlError(
      'not_a_repository',
      `There is no folder ${path}. If it is a study's name: --tag ${path}.`,
    );
  }
  const tagged = (own.length > 0 ? own : all).filter(study => tag === undefined || study.tag === tag);
  // A tag may also name a study of another repository, or an imported one.
  const found = tagged[0] ?? all.find(study => study.tag === tag);
  if (found) return found;
  const tags = [...new Set(all.map(study => study.tag))].slice(0, 10).join(', ');
  throw new PawlError('study_not_found', `There is no study "${tag}". Known ones: ${tags}.`);
}

/**
 * The study to go on with: the latest of the path's repository, of that tag where one is given; else one whose
 * repository has moved to the path. Never one of another repository, unless its tag is named. Rejects with
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
    `${repository?.path} has no study${tag === undefined ? '' : ` "${tag}"`} to go on with. Start one with "pawl run".`,
  );
}
