import { PawlError } from '../../shared/errors.ts';
import { answerOf, openObjects } from './objects.ts';
import type { Repository } from './repository.ts';

/** A file in a commit. */
export type BlobName = { readonly commit: string; readonly path: string };

/** Editable files are usually some ten kilobytes each. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads many files with two requests, in the given order; null if a commit has no such file, or if it has more than
 * `largest` bytes. Rejects with `git_failed` if all different contents together exceed `maxBytes`.
 */
export async function readBlobs(
  repository: Repository,
  names: readonly BlobName[],
  largest = MAX_BYTES,
  maxBytes = MAX_BYTES,
): Promise<readonly (Buffer | null)[]> {
  const objects = openObjects(repository);
  const heads = answerOf(await objects.askForHeads(names.map(({ commit, path }) => `${commit}:${path}`)));
  const blobs = heads.map(head => (head?.type === 'blob' && head.bytes <= largest ? head : null));
  // Most commits have most of their files in common.
  const sizes = new Map(blobs.flatMap(blob => (blob ? [[blob.id, blob.bytes] as const] : [])));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes > maxBytes) {
    throw new PawlError(
      'git_failed',
      `The files have ${bytes} bytes together; Pawl reads at most ${maxBytes} at once.`,
    );
  }
  const ids = [...sizes.keys()];
  const found = answerOf(await objects.ask(ids));
  const contents = new Map(ids.map((id, place) => [id, found[place]?.content ?? null]));
  return blobs.map(blob => blob && (contents.get(blob.id) ?? null));
}
