import { PawlError } from '../../shared/errors.ts';
import { answerOf, openObjects } from './objects.ts';
import type { Repository } from './repository.ts';

/** A file in a commit. */
export type BlobName = { readonly commit: string; readonly path: string };

/** Editable files are usually some ten kilobytes each. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads many files with one request, in the given order; null if a commit has no such file. Rejects with `git_failed`
 * if all of them together exceed `maxBytes`.
 */
export async function readBlobs(
  repository: Repository,
  names: readonly BlobName[],
  maxBytes = MAX_BYTES,
): Promise<readonly (Buffer | null)[]> {
  if (names.length === 0) return [];
  const objects = openObjects(repository);
  const keys = names.map(({ commit, path }) => `${commit}:${path}`);
  const heads = answerOf(await objects.askForHeads(keys));
  const blobs = keys.filter((_, place) => heads[place]?.type === 'blob');
  const bytes = heads.reduce((sum, head) => sum + (head?.type === 'blob' ? head.bytes : 0), 0);
  if (bytes > maxBytes) {
    throw new PawlError(
      'git_failed',
      `The files have ${bytes} bytes together; Pawl reads at most ${maxBytes} at once.`,
    );
  }
  const found = answerOf(await objects.ask(blobs));
  const contents = new Map(blobs.map((key, place) => [key, found[place]?.content ?? null]));
  return keys.map(key => contents.get(key) ?? null);
}
