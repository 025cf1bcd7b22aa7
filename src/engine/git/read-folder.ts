import type { Dir, Dirent } from 'node:fs';
import { chmod, opendir } from 'node:fs/promises';
import { spellPath } from './repository.ts';

/** A folder may have more entries than fit into the memory: so many are handed on at a time. */
const PIECE = 1024;

/** What lies in a folder of the worktree. */
export type Entry = {
  /** Relative to the worktree, `/` as separator, spelled as `spellPath` does. */
  readonly path: string;
  /** The absolute path as the file system spells it, for names that are not UTF-8. */
  readonly rawPath: Buffer;
  readonly isFolder: boolean;
};

/** `unreadable` is a folder that cannot be read at all: its path is longer than the system's limit. */
export type FolderKind = 'full' | 'empty' | 'unreadable';

/**
 * Reads a folder in pieces, each handed on before the next is read. One that is gone is empty; one that its owner may not read
 * is made readable.
 * @param folder its `path` is empty for the top of the worktree
 */
export async function readFolder(
  { path, rawPath }: Pick<Entry, 'path' | 'rawPath'>,
  signal: AbortSignal | undefined,
  visit: (entries: readonly Entry[]) => Promise<void>,
): Promise<FolderKind> {
  const opened = await openFolder(rawPath);
  if (typeof opened === 'string') return opened;
  let kind: FolderKind = 'empty';
  let piece: Entry[] = [];
  for await (const entry of opened) {
    const name = rawName(entry);
    const spelled = spellPath(name);
    piece.push({
      path: path === '' ? spelled : `${path}/${spelled}`,
      rawPath: Buffer.concat([rawPath, slash, name]),
      isFolder: entry.isDirectory(),
    });
    kind = 'full';
    if (piece.length < PIECE) continue;
    // Leaving the loop closes the folder.
    signal?.throwIfAborted();
    await visit(piece);
    piece = [];
  }
  signal?.throwIfAborted();
  if (piece.length > 0) await visit(piece);
  return kind;
}

const slash = Buffer.from('/');

async function openFolder(folder: Buffer): Promise<Dir | Exclude<FolderKind, 'full'>> {
  // The types do not know that opendir takes this encoding, as readdir does.
  const open = () => opendir(folder, { encoding: 'buffer' as BufferEncoding, bufferSize: PIECE });
  try {
    return await open().catch(async error => {
      if (error.code !== 'EACCES') throw error;
      await chmod(folder, 0o700);
      return open();
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'empty' : 'unreadable';
  }
}

function rawName({ name }: Dirent): Buffer {
  return Buffer.from(name);
}
