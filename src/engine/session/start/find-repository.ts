import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import { openRepository, type Repository, readRef } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';

/** The study's repository; if it was moved to `movedTo`, the ledger is updated. */
export async function findRepository(
  ledger: Ledger,
  study: Study,
  movedTo: string | undefined,
): Promise<Repository> {
  for (const path of [study.repositoryPath, ...(movedTo === undefined ? [] : [movedTo])]) {
    const repository = await openRepository(path).catch(() => null);
    if (!repository || (await readRef(repository, study.baseCommit)) === null) continue;
    if (repository.gitDir !== study.gitDir) {
      const { path: newPath, gitDir } = repository;
      ledger.write(() => ledger.studies.setRepository(study.id, newPath, gitDir));
    }
    return repository;
  }
  throw new PawlError(
    'not_a_repository',
    `${study.repositoryPath} is no longer the repository of ${study.tag} (commit ${study.baseCommit.slice(0, 12)} is not ` +
      'there). If it was moved, resume it with its new path.',
  );
}
