import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ledger } from '../engine/store/ledger.ts';
import { PawlError } from '../shared/errors.ts';
import type { Study } from '../shared/study.ts';

/**
 * The study that a path and a tag mean: the latest in the path's repository, with the given tag if there is one. A
 * path without studies, or outside any repository, stands for all studies. Rejects with `study_not_found`, and with
 * `not_a_repository` if the path does not exist.
 */
export async function findStudy(ledger: Ledger, path: string, tag: string | undefined): Promise<Study> {
  const all = ledger.studies.list();
  if (all.length === 0) {
    throw new PawlError('study_not_found', 'There is no study yet. Start one with "pawl run <repository>".');
  }
  const here = await realpath(path).catch(() => path);
  const gitDir = await findGitDir(here, all);
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
  // A tag may also name a study in another repository, or an imported one.
  const found = tagged[0] ?? all.find(study => study.tag === tag);
  if (found) return found;
  const tags = [...new Set(all.map(study => study.tag))].slice(0, 10).join(', ');
  throw new PawlError('study_not_found', `There is no study "${tag}". Known ones: ${tags}.`);
}

/** The common git directory of a folder, or null; asks git only if no study is known for the folder's own `.git`. */
async function findGitDir(folder: string, studies: readonly Study[]): Promise<string | null> {
  const own = await realpath(join(folder, '.git')).catch(() => null);
  if (own !== null && studies.some(study => study.gitDir === own)) return own;
  // Loaded only when needed, because loading delays every start.
  const { openRepository } = await import('../engine/git/repository.ts');
  return openRepository(folder).then(
    repository => repository.gitDir,
    () => null,
  );
}
