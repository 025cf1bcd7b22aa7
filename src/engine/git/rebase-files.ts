import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.ts';
import { git } from './git.ts';
import { type Repository, readBlob } from './repository.ts';

/**
 * Moves files that were made from the commit `base` to another commit, merging each with that commit's changes (`git
 * merge-file`); null if the changes overlap. Changes of neighbouring lines do not count as overlapping, because
 * constants often stand one below the other.
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
      // One of the commits has no such file, so there is nothing to merge with.
      if (before === null || now === null) return null;
      await writeFile(join(folder, 'now'), now);
      await writeFile(join(folder, 'before'), before);
      await writeFile(join(folder, 'next'), next);
      const { exitCode, stdout } = await git(folder, ['merge-file', '-p', 'now', 'before', 'next'], {
        // The exit code is the number of conflicts; above 127 it is an error.
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
 * Applies the change from `before` to `next`, files in the folder, to the text `now`. Each replaced piece has to be
 * in `now` exactly once; null if one is not, or if lines are only added, because nothing says where.
 */
export async function replaceLines(folder: string, now: string): Promise<string | null> {
  const { stdout } = await git(
    folder,
    ['diff', '--no-index', '--no-ext-diff', '--no-color', '-U0', '--inter-hunk-context=0', 'before', 'next'],
    {
      // 1 means that they differ.
      accept: [0, 1],
    },
  );
  const [, ...hunks] = stdout.toString('utf8').split(/^@@ .*\n/m);
  // git prints no lines for binary files.
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
    // A piece starts at the start of a line.
    const at = `\n${text}`.indexOf(`\n${old}`);
    if (old === '' || at < 0 || `\n${text}`.indexOf(`\n${old}`, at + 1) >= 0) return null;
    text = text.slice(0, at) + next + text.slice(at + old.length);
  }
  return text;
}
