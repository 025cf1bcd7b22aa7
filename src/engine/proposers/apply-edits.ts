import { type FileEdit, MAX_FILE_CHARACTERS } from '../../shared/proposers/ideas.ts';

/** Reads a file as it is when the attempt starts; null if there is none. */
export type ReadFile = (path: string) => Promise<string | null>;

export type Applied =
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, string> }
  | { readonly kind: 'wrong'; readonly message: string };

/**
 * Applies edits in memory, either all or none, and returns the resulting files. `wrong` tells the author of the edits
 * what to correct.
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
      return wrong(`\`old\` occurs ${count} times; include more surrounding lines until it is unique.`);
    const at = text.indexOf(edit.old);
    const next = text.slice(0, at) + edit.new + text.slice(at + edit.old.length);
    if (next.length > MAX_FILE_CHARACTERS) return wrong('the file would be too large.');
    files.set(edit.path, next);
  }
  for (const [path, text] of files) if (before.get(path) === text) files.delete(path);
  if (files.size === 0) return { kind: 'wrong', message: 'The edits change nothing.' };
  return { kind: 'files', files };
}

function isPlainPath(path: string): boolean {
  return !/[\\\0]/.test(path) && path.split('/').every(part => part !== '' && part !== '.' && part !== '..');
}

function countOf(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count += 1;
  return count;
}
