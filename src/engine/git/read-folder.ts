import { chmodSync, type Dir, type Dirent, opendirSync } from 'node:fs';
import { takeTurns } from '../small-files.ts';
import { spellPath } from './repository.ts';

/** A folder may have more entries than fit into memory, so they are passed on in pieces of this size. */
const PIECE = 1024;

/** An entry of a folder in the worktree. */
export type Entry = {
  /** Relative to the worktree, with `/` as separator, spelled as by `spellPath`. */
  readonly path: string;
  /** The absolute path as the file system spells it, for names that are not UTF-8. */
  readonly rawPath: Buffer;
  readonly isFolder: boolean;
};

/** `unreadable`: the folder cannot be read at all, because its path is longer than the system allows. */
export type FolderKind = 'full' | 'empty' | 'unreadable';

/**
 * Reads a folder in pieces and passes each on before reading the next. A missing folder counts as empty; one that its
 * owner may not read is made readable.
 * @param folder its `path` is empty for the top of the worktree
 */
export async function readFolder(
  { path, rawPath }: Pick<Entry, 'path' | 'rawPath'>,
  signal: AbortSignal | undefined,
  visit: (entries: readonly Entry[]) => Promise<void>,
): Promise<FolderKind> {
  const opened = openFolder(rawPath);
  if (typeof opened === 'string') return opened;
  let kind: FolderKind = 'empty';
  const passTurn = takeTurns();
  try {
    for (let piece = readPiece(opened); piece.length > 0; piece = readPiece(opened)) {
      kind = 'full';
      signal?.throwIfAborted();
      await visit(piece.map(entry => entryOf(entry, path, rawPath)));
      await passTurn();
    }
  } finally {
    opened.closeSync();
  }
  signal?.throwIfAborted();
  return kind;
}

/** The first read fetches as many entries as the kernel returns per call; the rest of them need no further call. */
function readPiece(folder: Dir): readonly Dirent[] {
  const piece: Dirent[] = [];
  while (piece.length < PIECE) {
    const entry = folder.readSync();
    if (!entry) break;
    piece.push(entry);
  }
  return piece;
}

function entryOf(entry: Dirent, path: string, rawPath: Buffer): Entry {
  const name = rawName(entry);
  const spelled = spellPath(name);
  return {
    path: path === '' ? spelled : `${path}/${spelled}`,
    rawPath: Buffer.concat([rawPath, slash, name]),
    isFolder: entry.isDirectory(),
  };
}

const slash = Buffer.from('/');

function openFolder(folder: Buffer): Dir | Exclude<FolderKind, 'full'> {
  // The types omit this encoding for opendir, although it works as in readdir.
  const open = () => opendirSync(folder, { encoding: 'buffer' as BufferEncoding, bufferSize: PIECE });
  try {
    try {
      return open();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
      chmodSync(folder, 0o700);
      return open();
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'empty' : 'unreadable';
  }
}

function rawName({ name }: Dirent): Buffer {
  return Buffer.from(name);
}
