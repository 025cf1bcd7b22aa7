import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { chmod, type FileHandle, open, readlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { hearOthers, readAtOnce, SMALL_BYTES, statNow, takeTurns } from '../small-files.ts';
import { type Entry, readFolder } from './read-folder.ts';

/**
 * Lists the files of a worktree by content. git's answer would depend on an index and on ignore rules that the
 * training can rewrite; this one does not. Not covered: access rights other than the executable bit.
 */
export type FileState = {
  readonly kind: 'file' | 'link' | 'emptyFolder' | 'unreadableFolder' | 'other';
  readonly executable: boolean;
  /** Bytes of a file; 0 for anything else. */
  readonly size: number;
  /** SHA-256 of the content or of the link's target, in hex; null if the size alone shows that the file differs. */
  readonly digest: string | null;
  /** Lines that are not blank; null for large files and for those that may not be edited. */
  readonly sourceLines: number | null;
  /** Changes whenever the file or its permissions are touched; empty for a folder. */
  readonly stamp: string;
};

/** By path relative to the worktree, with `/` as separator. Parts that are not UTF-8 become `\0` and hex digits. */
export type Files = ReadonlyMap<string, FileState>;

export type Scan = {
  /** Tracked files, editable files and those locked by name. */
  readonly files: Files;
  /** Whether there is anything else. */
  readonly hasLeftovers: boolean;
  /** Whether there are more new editable files than {@link MAX_NEW_FILES}; the rest is not in `files`. */
  readonly isCut: boolean;
};

/** What belongs into a worktree: tracked paths, and untracked ones that are ignored. */
export type Layout = { readonly tracked: ReadonlySet<string>; readonly skip: ReadonlySet<string> };

/** Which untracked paths matter in addition to the tracked ones. */
export type Wanted = {
  readonly isEditable: (path: string) => boolean;
  readonly isNamedLocked: (path: string) => boolean;
  /** Whether a folder can contain one of them. */
  readonly mayHold: (folder: string) => boolean;
};

export type ScanOptions = {
  readonly signal?: AbortSignal | undefined;
  /** The files of the commit's checkout: a file of another size has changed, whatever its content. */
  readonly expected?: Files | undefined;
  /** Gets the leftovers in pieces: files, and as one entry each folder that contains nothing tracked. */
  readonly onLeftovers?: ((leftovers: readonly Entry[]) => Promise<void>) | undefined;
  /** Whether leftovers are being removed, so that they need not be searched for edits. */
  readonly isCleaning?: boolean | undefined;
};

/**
 * No edit of source is nearly as large: GitHub accepts no file above 100 MB, and a model writes some kilobytes. A
 * larger file is one that a training left, perhaps sparse, and could take hours to read.
 */
export const MAX_EDIT_BYTES = 64 * 1024 * 1024;

/** No proposal adds this many files, but a training can leave a million that a pattern like `**` calls editable. */
export const MAX_NEW_FILES = 10_000;

/** Larger files are read as a stream, to save memory. */
const READ_WHOLE_BYTES = 4 * 1024 * 1024;

/** A file that changed in the clock tick in which it was read could change again unnoticed; git calls this racy. */
const RACY_MS = 50;

/** How many files or folders are open at the same time: a tree may have more than a process may open. */
const AT_ONCE = 64;

type Place = Pick<Entry, 'path' | 'rawPath'> & { readonly isOurs: boolean };

export class WorktreeScanner {
  readonly #root: Buffer;
  readonly #wanted: Wanted;
  #remembered = new Map<string, FileState>();
  #folders: { readonly of: ReadonlySet<string>; readonly folders: ReadonlySet<string> } | null = null;

  constructor(root: string, wanted: Wanted) {
    this.#root = Buffer.from(root);
    this.#wanted = wanted;
  }

  /**
   * Reads the worktree, except the `.git` at its top and what the layout skips. Reads a file's content again unless
   * inode, size, mtime and ctime are unchanged: no program can set ctime, so a rewrite cannot hide. Memory grows with
   * the tracked files, not with the leftovers. Rejects with an AbortError when the signal is aborted.
   */
  async scan(layout: Layout, options: ScanOptions = {}): Promise<Scan> {
    const { signal, expected } = options;
    const files = new Map<string, FileState>();
    await hearOthers();
    // If a link to elsewhere replaced the worktree's folder, it contains none of its files.
    if (!statNow(this.#root)?.isDirectory()) return { files, hasLeftovers: false, isCut: false };
    const { found, ...rest } = await this.#walk(layout, options, files);
    const remembered = new Map<string, FileState>();
    const passTurn = takeTurns();
    for (let start = 0; start < found.length; start += AT_ONCE) {
      const seen: (readonly [Entry, BigIntStats])[] = [];
      for (const entry of found.slice(start, start + AT_ONCE)) {
        await passTurn();
        const stat = statNow(entry.rawPath);
        if (stat) seen.push([entry, stat]);
      }
      signal?.throwIfAborted();
      await Promise.all(
        seen.map(async ([{ path, rawPath }, stat]) => {
          const stamp = `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.mode}`;
          const before = this.#remembered.get(path);
          const isRead = layout.tracked.has(path) || this.#wanted.isEditable(path);
          const state =
            before?.stamp === stamp
              ? before
              : { ...(await this.#read(path, rawPath, stat, isRead, expected, signal)), stamp };
          files.set(path, state);
          if (state.digest !== null && Date.now() - Number(stat.ctimeMs) > RACY_MS)
            remembered.set(path, state);
        }),
      );
    }
    this.#remembered = remembered;
    return { files, ...rest };
  }

  /** Finds the files that matter; only empty folders are added to `files`. */
  async #walk(
    layout: Layout,
    { signal, onLeftovers, isCleaning = false }: ScanOptions,
    files: Map<string, FileState>,
  ): Promise<Omit<Scan, 'files'> & { readonly found: readonly Entry[] }> {
    const { tracked, skip } = layout;
    const ours = this.#foldersOf(tracked);
    const besides = foldersOf(skip);
    const found: Entry[] = [];
    const added = { editable: 0, locked: 0 };
    let hasLeftovers = false;
    let handing: Promise<void> = Promise.resolve();
    const isWanted = (path: string) => this.#wanted.isEditable(path) || this.#wanted.isNamedLocked(path);
    const folders: Place[] = [{ path: '', rawPath: this.#root, isOurs: true }];
    const passTurn = takeTurns();
    while (folders.length > 0) {
      signal?.throwIfAborted();
      await passTurn();
      await Promise.all(
        folders.splice(-AT_ONCE).map(async place => {
          const kind = await readFolder(place, signal, async entries => {
            const leftovers: Entry[] = [];
            for (const entry of entries) {
              const { path, rawPath, isFolder } = entry;
              if (path === '.git' || skip.has(path)) continue;
              const isOurs = tracked.has(path) || (isFolder && (ours.has(path) || besides.has(path)));
              if (!isOurs && place.isOurs && !(this.#wanted.isEditable(path) && !isFolder && !isCleaning))
                leftovers.push(entry);
              if (isFolder) {
                const isLookedAt = !isCleaning && (this.#wanted.mayHold(path) || isWanted(path));
                if (isOurs || isLookedAt) folders.push({ path, rawPath, isOurs });
              } else if (tracked.has(path)) found.push(entry);
              else if (!isCleaning && isWanted(path)) {
                const sort = this.#wanted.isNamedLocked(path) ? 'locked' : 'editable';
                added[sort] += 1;
                if (added[sort] <= MAX_NEW_FILES) found.push(entry);
              }
            }
            if (leftovers.length === 0) return;
            hasLeftovers = true;
            // One piece at a time, however many folders are being read.
            handing = handing.then(() => onLeftovers?.(leftovers));
            await handing;
          });
          if (kind === 'full' || place.path === '') return;
          if (tracked.has(place.path) || (!isCleaning && isWanted(place.path)))
            files.set(place.path, {
              ...NO_FILE,
              ...{ kind: kind === 'empty' ? 'emptyFolder' : 'unreadableFolder', stamp: '' },
            });
        }),
      );
    }
    return { found, hasLeftovers, isCut: added.editable > MAX_NEW_FILES };
  }

  /** Folders that contain something tracked. */
  #foldersOf(tracked: ReadonlySet<string>): ReadonlySet<string> {
    if (this.#folders?.of !== tracked) this.#folders = { of: tracked, folders: foldersOf(tracked) };
    return this.#folders.folders;
  }

  async #read(
    path: string,
    rawPath: Buffer,
    stat: BigIntStats,
    isRead: boolean,
    expected: Files | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Omit<FileState, 'stamp'>> {
    const executable = (stat.mode & 0o100n) !== 0n;
    if (stat.isSymbolicLink()) {
      const target = await readlink(rawPath, { encoding: 'buffer' });
      return { ...NO_FILE, kind: 'link', digest: sha256(target) };
    }
    if (!stat.isFile()) return { ...NO_FILE, kind: 'other', executable };
    const size = Number(stat.size);
    const isEditable = this.#wanted.isEditable(path);
    const state = { kind: 'file', executable, size, sourceLines: null } as const;
    const before = expected?.get(path);
    const isOther = expected !== undefined && (before?.kind !== 'file' || before.size !== size);
    // For a locked file it is enough to know that it changed; an edit's content has to be known, unless it is too
    // large.
    if (!isRead || (isOther && (!isEditable || size > MAX_EDIT_BYTES))) return { ...state, digest: null };
    const ofContent = (content: Buffer) => ({
      ...{ ...state, digest: sha256(content) },
      sourceLines: isEditable ? countSourceLines(content) : null,
    });
    const small = size <= SMALL_BYTES ? readAtOnce(rawPath, size) : null;
    if (small) return ofContent(small);
    const file = await openFile(rawPath, stat);
    try {
      if (size > READ_WHOLE_BYTES) {
        const hash = createHash('sha256');
        await pipeline(file.createReadStream({ autoClose: false }), hash, { signal });
        return { ...state, digest: hash.digest('hex') };
      }
      return ofContent(await file.readFile({ signal }));
    } finally {
      await file.close();
    }
  }
}

/** Folders that contain one of the paths: they are never a leftover as a whole. */
function foldersOf(paths: ReadonlySet<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders;
}

const NO_FILE = { executable: false, size: 0, digest: '', sourceLines: null } as const;

async function openFile(rawPath: Buffer, stat: BigIntStats): Promise<FileHandle> {
  return open(rawPath).catch(async error => {
    if (error.code !== 'EACCES') throw error;
    // The training may have made its own file unreadable.
    await chmod(rawPath, (Number(stat.mode) & 0o777) | 0o400);
    return open(rawPath);
  });
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function countSourceLines(content: Buffer): number {
  return content
    .toString('utf8')
    .split('\n')
    .filter(line => line.trim() !== '').length;
}

/** Paths that differ between two scans: added, removed, or of another kind, mode or content. */
export function changedPaths(before: Files, after: Files): readonly string[] {
  const changed: string[] = [];
  for (const [path, state] of after) {
    const old = before.get(path);
    if (!old || !isSame(old, state)) changed.push(path);
  }
  for (const path of before.keys()) if (!after.has(path)) changed.push(path);
  return changed.sort();
}

/** Whether no file was touched between two scans, not even in ways that {@link changedPaths} does not report. */
export function areUntouched(before: Files, after: Files): boolean {
  const isUntouched = ([path, { stamp }]: readonly [string, FileState]) => before.get(path)?.stamp === stamp;
  return changedPaths(before, after).length === 0 && [...after].every(isUntouched);
}

function isSame(a: FileState, b: FileState): boolean {
  return (
    a.kind === b.kind &&
    a.executable === b.executable &&
    a.size === b.size &&
    a.digest === b.digest &&
    a.digest !== null
  );
}

/** One digest for the editable files' names, modes and contents: equal exactly when the trees would be. */
export function digestEditable(files: Files, isEditable: (path: string) => boolean): string {
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) {
    const state = files.get(path);
    if (state && isEditable(path))
      hash.update(`${path}\0${state.kind}\0${state.executable}\0${state.digest}\0`);
  }
  return hash.digest('hex');
}

/** Sum of the editable files' non-blank lines. */
export function countEditableLines(files: Files): number {
  let total = 0;
  for (const state of files.values()) total += state.sourceLines ?? 0;
  return total;
}
