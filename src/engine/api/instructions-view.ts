import { PawlError } from '../../shared/errors.ts';
import type { Instructions, Mark } from '../../shared/notebook.ts';
import type { Study } from '../../shared/study.ts';
import { openRepository, readBlob } from '../git/repository.ts';
import type { Ledger } from '../store/ledger.ts';

/** The file in the study's base commit; empty if there is none. */
async function readOriginal(study: Study): Promise<string> {
  const path = study.contract.instructions;
  if (path === null || study.baseCommit === '') return '';
  const blob = await readBlob(await openRepository(study.repositoryPath), study.baseCommit, path);
  return blob?.toString('utf8') ?? '';
}

/** The instructions the next proposal gets, with their history. Rejects with `not_a_repository`. */
export async function readInstructions(ledger: Ledger, study: Study): Promise<Instructions> {
  const original = await readOriginal(study);
  return {
    path: study.contract.instructions,
    text: ledger.instructions.latest(study.id)?.text ?? original,
    versions: [
      ...ledger.instructions.list(study.id),
      { id: 0, at: study.createdAt, bytes: Buffer.byteLength(original) },
    ],
  };
}

/** Rejects with `experiment_not_found` for a version that is not there. */
export async function readInstructionsVersion(ledger: Ledger, study: Study, id: number): Promise<string> {
  if (id === 0) return readOriginal(study);
  const saved = ledger.instructions.get(study.id, id);
  if (!saved) throw new PawlError('usage', `There is no version ${id} of the instructions.`);
  return saved.text;
}

/**
 * Saves a new version, which applies from the next proposal on; the repository's own file is not touched. Rejects
 * with `usage` if `base` is not the latest version, so that nobody's text is overwritten.
 */
export function saveInstructions(
  ledger: Ledger,
  study: Study,
  text: string,
  base: number,
  now: number,
): Mark {
  if (study.contract.instructions === null) {
    throw new PawlError('usage', 'The contract of this study names no instructions.');
  }
  return ledger.write(() => {
    const latest = ledger.instructions.latest(study.id)?.id ?? 0;
    if (latest !== base) {
      throw new PawlError(
        'usage',
        `The instructions were saved elsewhere meanwhile (version ${latest}). Reload and compare; your own text is kept.`,
      );
    }
    const id = ledger.instructions.add(study.id, text, now);
    return ledger.marks.add(
      study.id,
      'instructions',
      `${study.contract.instructions} changed (version ${id})`,
      now,
    );
  });
}
