import { gitOf, type Repository } from './repository.ts';

/** A file in a commit. */
export type BlobName = { readonly commit: string; readonly path: string };

/** Editable files are usually some ten kilobytes each. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads many files with one process, in the given order; null if a commit has no such file. Rejects with `git_failed`
 * if all of them together exceed `maxBytes`. Source: git-cat-file(1), `--batch`.
 */
export async function readBlobs(
  repository: Repository,
  names: readonly BlobName[],
  maxBytes = MAX_BYTES,
): Promise<readonly (Buffer | null)[]> {
  if (names.length === 0) return [];
  const stdin = names.map(({ commit, path }) => `${commit}:${path}\0`).join('');
  const { stdout } = await gitOf(repository, ['cat-file', '--batch', '-z'], { stdin, maxBytes });
  let at = 0;
  return names.map(({ commit, path }) => {
    // git repeats the name of a missing file, which may contain a newline.
    const missing = Buffer.from(`${commit}:${path} missing\n`);
    if (stdout.subarray(at, at + missing.length).equals(missing)) {
      at += missing.length;
      return null;
    }
    const lineEnd = stdout.indexOf(10, at);
    const [, kind, size] = stdout.toString('latin1', at, lineEnd).split(' ');
    const start = lineEnd + 1;
    at = start + Number(size) + 1;
    return kind === 'blob' ? stdout.subarray(start, start + Number(size)) : null;
  });
}
