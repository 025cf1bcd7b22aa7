import type { ReviewView } from '../../shared/review.ts';
import { listChangedFiles, readDiff } from '../git/diff.ts';
import { openRepository, readBlob } from '../git/repository.ts';
import { findEditHints } from '../stages/judge/edit-hints.ts';
import type { Ledger } from '../store/ledger.ts';
import { DIFF_CHARACTERS, requireOwnStudy } from './experiment-view.ts';

/** A window cannot edit a larger file. */
const FILE_BYTES = 1_000_000;

/** The proposal of experiment `n` that waits for the user's review, or null. Rejects with `study_not_found`. */
export async function readReview(ledger: Ledger, studyId: string, n: number): Promise<ReviewView | null> {
  const study = requireOwnStudy(ledger, studyId);
  const review = ledger.reviews.open(study.id, n);
  if (!review) return null;
  const { id, at, proposal, isRepair, start, parent, commit } = review;
  const repository = await openRepository(study.repositoryPath);
  const diff = await readDiff(repository, start, commit);
  const files: { path: string; text: string; before: string }[] = [];
  for (const { path, added } of await listChangedFiles(repository, start, commit)) {
    const content = added === null ? null : await readBlob(repository, commit, path);
    const text = content?.toString('utf8');
    // A file that is not UTF-8 could not be written back unchanged.
    if (!content || text === undefined || content.length > FILE_BYTES) continue;
    if (!Buffer.from(text, 'utf8').equals(content)) continue;
    const before = (await readBlob(repository, start, path))?.toString('utf8') ?? '';
    files.push({ path, text, before });
  }
  const { memo: _, ...shown } = proposal;
  return {
    ...{ id, n, at, isRepair, files },
    hints: await findEditHints(repository, parent, commit, study.contract),
    proposal: shown,
    diff: diff.slice(0, DIFF_CHARACTERS),
    isCut: diff.length > DIFF_CHARACTERS,
  };
}
