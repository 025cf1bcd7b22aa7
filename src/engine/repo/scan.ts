import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { chmod, lstat, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { spellPath } from './repository.ts';

/**
 * What lies in a worktree, by content. git's own answer would depend on an index and on ignore rules the
 * training can rewrite; this one does not. Not covered: access rights other than the executable bit.
 */
export type FileState = {
  readonly kind: 'file' | 'link' | 'emptyFolder' | 'unreadableFolder' | 'other';
  readonly executable: boolean;
  /**
   * SHA-256 of the content or of the link's target, hex. For files that are neither tracked, editable nor locked
   * (a checkpoint may have gigabytes) only inode, size and times.
   */
  readonly digest: string;
  /** Lines that are not blank; null for files no one may edit. */
  readonly sourceLines: number | null;
  /** The path as the file system spells it, for names that are not UTF-8. */
  readonly rawPath: Buffer;
};

/** By path relative to the worktree, `/` as separator. Names that are not UTF-8 stand as `\0` and hex. */
export type Scan = ReadonlyMap<string, FileState>;

type Remembered = { readonly stamp: string; readonly state: FileState };

/** Larger files are read as a stream, so that a checkpoint in the worktree does not fill the memory. */
const READ_WHOLE_BYTES = 4 * 1024 * 1024;

/** A file changed in the same tick as it was read could change again unseen; git calls it racy. */
const RACY_MS = 50;

/** This many files or folders are open at a time: a tree may have more than a process may open. */
const AT_ONCE = 64;

const slash = Buffer.from('/');
const run = promisify(execFile);

export class WorktreeScanner {
  readonly #root: Buffer;
  readonly #isEditable: (path: string) => boolean;
  readonly #isOfInterest: (path: string) => boolean;
  #remembered = new Map<string, Remembered>();

  /**
   * @param isOfInterest whether a file's content matters, beside that of the editable ones
   */
  constructor(root: string, isEditable: (path: string) => boolean, isOfInterest: (path: string) => boolean) {
    this.#root = Buffer.from(root);
    this.#isEditable = isEditable;
    this.#isOfInterest = isOfInterest;
  }

  /**
   * Reads the whole worktree but `.git` at its top and `skip`. A file's content is read again unless inode,
   * size, mtime and ctime are as they were: ctime cannot be set by a program, so a rewrite cannot hide.
   */
  async scan(skip: ReadonlySet<string>): Promise<Scan> {
    const found = new Map<string, FileState>();
    const remembered = new Map<string, Remembered>();
    // A root that was replaced by a link to somewhere else holds nothing of ours.
    const root = await lstat(this.#root).catch(() => null);
    if (!root?.isDirectory()) return found;
    const files = await listFiles(this.#root, skip, found);
    for (let start = 0; start < files.length; start += AT_ONCE) {
      await Promise.all(
        files.slice(start, start + AT_ONCE).map(async ({ path, rawPath }) => {
          const stat = await lstat(rawPath, { bigint: true }).catch(() => null);
          if (!stat) return;
          const stamp = `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.mode}`;
          const before = this.#remembered.get(path);
          const state = before?.stamp === stamp ? before.state : await this.#read(path, rawPath, stat, stamp);
          found.set(path, state);
          if (Date.now() - Number(stat.ctimeMs) > RACY_MS) remembered.set(path, { stamp, state });
        }),
      );
    }
    this.#remembered = remembered;
    return found;
  }

  async #read(path: string, rawPath: Buffer, stat: BigIntStats, stamp: string): Promise<FileState> {
    const executable = (stat.mode & 0o100n) !== 0n;
    if (stat.isSymbolicLink()) {
      const target = await readlink(rawPath, { encoding: 'buffer' });
      return { kind: 'link', executable: false, digest: sha256(target), sourceLines: null, rawPath };
    }
    if (!stat.isFile()) return { kind: 'other', executable, digest: '', sourceLines: null, rawPath };
    if (!this.#isEditable(path) && !this.#isOfInterest(path)) {
      return { kind: 'file', executable, digest: stamp, sourceLines: null, rawPath };
    }
    if (stat.size > READ_WHOLE_BYTES) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(rawPath), hash);
      return { kind: 'file', executable, digest: hash.digest('hex'), sourceLines: null, rawPath };
    }
    const content = await readFile(rawPath).catch(async error => {
      if (error.code !== 'EACCES') throw error;
      // The training may have taken the right to read its own file away.
      await chmod(rawPath, (Number(stat.mode) & 0o777) | 0o400);
      return readFile(rawPath);
    });
    const sourceLines = this.#isEditable(path) ? countSourceLines(content) : null;
    return { kind: 'file', executable, digest: sha256(content), sourceLines, rawPath };
  }
}

/** Walks the folders below the root; folders without a file in them go to `found` at once. */
async function listFiles(
  root: Buffer,
  skip: ReadonlySet<string>,
  found: Map<string, FileState>,
): Promise<readonly { readonly path: string; readonly rawPath: Buffer }[]> {
  const files: { path: string; rawPath: Buffer }[] = [];
  const folders = [{ rawFolder: root, prefix: '' }];
  while (folders.length > 0) {
    await Promise.all(
      folders.splice(0, AT_ONCE).map(async ({ rawFolder, prefix }) => {
        const entries = await readFolder(rawFolder);
        if ((entries === null || entries.length === 0) && prefix !== '') {
          const kind = entries === null ? 'unreadableFolder' : 'emptyFolder';
          const state = {
            kind,
            executable: false,
            digest: '',
            sourceLines: null,
            rawPath: rawFolder,
          } as const;
          found.set(prefix.slice(0, -1), state);
        }
        for (const entry of entries ?? []) {
          const path = prefix + spellPath(entry.name);
          if (path === '.git' || skip.has(path)) continue;
          const rawPath = Buffer.concat([rawFolder, slash, entry.name]);
          if (entry.isDirectory()) folders.push({ rawFolder: rawPath, prefix: `${path}/` });
          else files.push({ path, rawPath });
        }
      }),
    );
  }
  return files;
}

/** Entries of a folder; null where it cannot be read at all (a path longer than the system's limit). */
async function readFolder(folder: Buffer) {
  const read = () => readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  try {
    return await read().catch(async error => {
      if (error.code !== 'EACCES') throw error;
      await chmod(folder, 0o700);
      return read();
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return null;
  }
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
export function changedPaths(before: Scan, after: Scan): readonly string[] {
  const changed: string[] = [];
  for (const [path, state] of after) {
    const old = before.get(path);
    if (!old || !isSame(old, state)) changed.push(path);
  }
  for (const path of before.keys()) if (!after.has(path)) changed.push(path);
  return changed.sort();
}

function isSame(a: FileState, b: FileState): boolean {
  return a.kind === b.kind && a.executable === b.executable && a.digest === b.digest;
}

/**
 * Removes leftovers, in the largest pieces: a folder with nothing else in it goes whole, so that no later run finds
 * it and no path in it can be too long to name.
 * @param keep paths that stay although no scan shows them
 */
export async function removePaths(
  root: string,
  scan: Scan,
  paths: readonly string[],
  keep: ReadonlySet<string>,
): Promise<void> {
  const leftovers = new Set(paths);
  const keptFolders = new Set<string>();
  for (const path of [...keep, ...[...scan.keys()].filter(candidate => !leftovers.has(candidate))]) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      keptFolders.add(path.slice(0, at));
  }
  const targets = new Map<string, Buffer>();
  for (const path of paths) {
    const state = scan.get(path);
    if (!state) continue;
    const parts = path.split('/');
    let depth = 1;
    while (depth < parts.length && keptFolders.has(parts.slice(0, depth).join('/'))) depth += 1;
    targets.set(parts.slice(0, depth).join('/'), cutPath(state.rawPath, Buffer.byteLength(root), depth));
  }
  for (const target of targets.values()) await forceRemove(target);
}

/** The first `depth` parts of a raw path below the root. */
function cutPath(rawPath: Buffer, rootBytes: number, depth: number): Buffer {
  let end = rootBytes;
  for (let part = 0; part < depth; part += 1) {
    const next = rawPath.indexOf(slash, end + 1);
    if (next < 0) return rawPath;
    end = next;
  }
  return rawPath.subarray(0, end);
}

/** Removes what lies at a path below a folder, without following a link on the way: the link is removed instead. */
export async function removeBelow(root: string, path: string): Promise<void> {
  let at = root;
  for (const part of path.split('/')) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    if (!found) return;
    if (!found.isDirectory()) break;
  }
  await forceRemove(Buffer.from(at));
}

/** Removes a file or folder against missing rights and over-long paths, as far as its owner can. */
async function forceRemove(path: Buffer): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // Neither `rm` below nor Node's can remove an entry of a folder it may not write.
    await chmod(parentOf(path), 0o700).catch(() => {});
    const found = await lstat(path).catch(() => null);
    if (found?.isDirectory()) await run('chmod', ['-R', 'u+rwX', '--', path.toString()]).catch(() => {});
    // It works relative to folders, so that no path is too long for it.
    await run('rm', ['-rf', '--', path.toString()]);
  }
}

function parentOf(path: Buffer): Buffer {
  return path.subarray(0, Math.max(0, path.lastIndexOf('/')));
}

/** One digest for the editable files' names, modes and contents: equal exactly when the trees would be. */
export function digestEditable(scan: Scan, isEditable: (path: string) => boolean): string {
  const hash = createHash('sha256');
  for (const path of [...scan.keys()].sort()) {
    const state = scan.get(path);
    if (state && isEditable(path))
      hash.update(`${path}\0${state.kind}\0${state.executable}\0${state.digest}\0`);
  }
  return hash.digest('hex');
}

/** Sum of the editable files' non-blank lines. */
export function countEditableLines(scan: Scan): number {
  let total = 0;
  for (const state of scan.values()) total += state.sourceLines ?? 0;
  return total;
}
