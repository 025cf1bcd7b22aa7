import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.ts';
import { git } from './git.ts';
import { type Repository, readBlob } from './repository.ts';

/**
 * Files made from the commit `base`, on another commit: each merged with what that changed (`git merge-file`); null where the
 * two changes meet. Neighbouring lines do not: constants stand one below the other.
 * @param scratch see {@link makeScratch}
 */
export async function rebaseFiles(
  { files, base }: { readonly files: ReadonlyMap<string, string>; readonly base: string },
  onto: string,
  repository: Repository,
  scratch: string,
): Promise<ReadonlyMap<string, string> | null> {
  if (base === onto) return files;
  const folder = await makeScratch(scratch, 'merge');
  try {
    const merged = new Map<string, string>();
    for (const [path, next] of files) {
      const [before, now] = await Promise.all([
        readBlob(repository, base, path),
        readBlob(repository, onto, path),
      ]);
      if (before === null && now === null) {
        merged.set(path, next);
        continue;
      }
      // Made or removed meanwhile: there is nothing to merge with.
      if (before === null || now === null) return null;
      await writeFile(join(folder, 'now'), now);
      await writeFile(join(folder, 'before'), before);
      await writeFile(join(folder, 'next'), next);
      const { exitCode, stdout } = await git(folder, ['merge-file', '-p', 'now', 'before', 'next'], {
        // The number of places where they meet; beyond 127 an error.
        accept: Array.from({ length: 256 }, (_, code) => code),
      });
      const text =
        exitCode === 0 ? stdout.toString('utf8') : await replaceLines(folder, now.toString('utf8'));
      if (text === null) return null;
      merged.set(path, text);
    }
    return merged;
  } finally {
    await removeScratch(folder);
  }
}

/**
 * The change from the file `before` to the file `next` of the folder done in the text `now`, line for line, where each of the replaced
 * pieces still stands there once; null where one does not, or where lines are only added and nothing says where.
 */
export async function replaceLines(folder: string, now: string): Promise<string | null> {
  const { stdout } = await git(
    folder,
    ['diff', '--no-index', '--no-ext-diff', '--no-color', '-U0', '--inter-hunk-context=0', 'before', 'next'],
    {
      // 1 where they differ.
      accept: [0, 1],
    },
  );
  const [, ...hunks] = stdout.toString('utf8').split(/^@@ .*\n/m);
  // git says nothing of how binary files differ.
  if (hunks.length === 0) return null;
  let text = now;
  for (const hunk of hunks) {
    const lines = hunk.split('\n').slice(0, -1);
    if (lines.some(line => line.startsWith('\\'))) return null;
    const side = (sign: string) =>
      lines
        .filter(line => line.startsWith(sign))
        .map(line => `${line.slice(1)}\n`)
        .join('');
    const [old, next] = [side('-'), side('+')];
    // A piece begins where a line does.
    const at = `\n${text}`.indexOf(`\n${old}`);
    if (old === '' || at < 0 || `\n${text}`.indexOf(`\n${old}`, at + 1) >= 0) return null;
    text = text.slice(0, at) + next + text.slice(at + old.length);
  }
  return text;
}
