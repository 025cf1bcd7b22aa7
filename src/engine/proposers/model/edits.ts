import type { Stats } from 'node:fs';
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** No source file worth tuning is larger, and no answer may fill a disk. */
const MAX_FILE_CHARACTERS = 1_000_000;
const MAX_EDITS = 100;

/** One change to one file: an exact piece of it replaced, or the whole of it. */
export const editSchema = z.union([
  z.strictObject({ path: z.string().min(1).max(1_000), old: z.string().min(1), new: z.string() }),
  z.strictObject({ path: z.string().min(1).max(1_000), content: z.string().max(MAX_FILE_CHARACTERS) }),
]);
export const editsSchema = z.array(editSchema).min(1).max(MAX_EDITS);
export type FileEdit = z.infer<typeof editSchema>;

/** Reads a file as the attempt is to start from it; null where there is none. */
export type ReadFile = (path: string) => Promise<string | null>;

export type Applied =
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, string> }
  | { readonly kind: 'wrong'; readonly message: string };

/**
 * The files as the edits leave them, in memory: all of it or nothing. `wrong` says what to mend, in words for whoever
 * wrote the edits.
 */
export async function applyEdits(
  edits: readonly FileEdit[],
  isEditable: (path: string) => boolean,
  read: ReadFile,
): Promise<Applied> {
  const before = new Map<string, string | null>();
  const files = new Map<string, string>();
  for (const [index, edit] of edits.entries()) {
    const wrong = (message: string): Applied => ({
      kind: 'wrong',
      message: `Edit ${index + 1} (${edit.path}): ${message}`,
    });
    if (!isPlainPath(edit.path)) return wrong('the path must be relative, with "/" and without "." or "..".');
    if (!isEditable(edit.path)) return wrong('the contract does not call this file editable.');
    if (!before.has(edit.path)) before.set(edit.path, await read(edit.path));
    const text = files.get(edit.path) ?? before.get(edit.path) ?? null;
    if ('content' in edit) {
      files.set(edit.path, edit.content);
      continue;
    }
    if (text === null) return wrong('there is no such file; give its whole `content`.');
    const count = countOf(text, edit.old);
    if (count === 0) return wrong('`old` does not occur; it must be copied exactly, with its indentation.');
    if (count > 1)
      return wrong(`\`old\` occurs ${count} times; take in more lines around it until it is unique.`);
    const at = text.indexOf(edit.old);
    const next = text.slice(0, at) + edit.new + text.slice(at + edit.old.length);
    if (next.length > MAX_FILE_CHARACTERS) return wrong('the file would be too large.');
    files.set(edit.path, next);
  }
  for (const [path, text] of files) if (before.get(path) === text) files.delete(path);
  if (files.size === 0) return { kind: 'wrong', message: 'The edits change nothing.' };
  return { kind: 'files', files };
}

/**
 * Writes what {@link applyEdits} made, or says why it cannot be written; then nothing was. What stands in the worktree
 * is untrusted: no link leads the text out of it, and nothing is written into what belongs to no commit (`tracked` are
 * the paths that do), for nobody would see it or take it back.
 */
export async function writeFiles(
  root: string,
  files: ReadonlyMap<string, string>,
  tracked: readonly string[],
): Promise<string | null> {
  for (const path of files.keys()) {
    const fault = await findFault(root, path, tracked);
    if (fault !== null) return `${path}: ${fault}`;
  }
  for (const [path, text] of files) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, 'utf8');
  }
  return null;
}

async function findFault(root: string, path: string, tracked: readonly string[]): Promise<string | null> {
  const parts = path.split('/');
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const own = parts.slice(0, depth).join('/');
    const isLast = depth === parts.length;
    const found = await look(join(root, own));
    if (found === 'odd') return 'there can be no file of that name.';
    if (!found) return null;
    if (isLast ? !found.isFile() : !found.isDirectory()) {
      return isLast ? 'this is no plain file.' : `${own} is no plain folder.`;
    }
    const isTracked = tracked.some(known => (isLast ? known === own : known.startsWith(`${own}/`)));
    if (!isTracked) return `${own} is not part of the repository, but was made by its set-up.`;
  }
  return null;
}

function look(path: string): Promise<Stats | null | 'odd'> {
  return lstat(path).catch(error => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    if (error.code === 'ENAMETOOLONG' || error.code === 'EINVAL') return 'odd';
    throw error;
  });
}

function isPlainPath(path: string): boolean {
  return !/[\\\0]/.test(path) && path.split('/').every(part => part !== '' && part !== '.' && part !== '..');
}

function countOf(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count += 1;
  return count;
}
