import { createHash } from 'node:crypto';
import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { writeNew } from '../small-files.ts';
import { MAX_REMEMBERED_BYTES, Remembered } from './remember.ts';
import { type Answer, StayingGit } from './staying-git.ts';

export type StoredObject = { readonly id: string; readonly type: string; readonly content: Buffer };
type ObjectType = 'blob' | 'tree' | 'commit';

/** The next attempt on the same commit reads the same objects again. */
const REMEMBERED = 64;

/** A repository's objects, read and written by long-lived git processes, so that git itself finds and stores them. */
export class Objects {
  readonly #reader: StayingGit;
  readonly #writers: Readonly<Record<ObjectType, StayingGit>>;
  readonly #remembered = new Remembered<StoredObject>(REMEMBERED);

  constructor(gitDir: string) {
    const start = (...args: readonly string[]) => new StayingGit(gitDir, ['--git-dir', gitDir, ...args]);
    const writerOf = (type: ObjectType) =>
      start('hash-object', '-t', type, '-w', '--no-filters', '--stdin-paths');
    this.#reader = start('cat-file', '--batch');
    this.#writers = { blob: writerOf('blob'), tree: writerOf('tree'), commit: writerOf('commit') };
  }

  /**
   * The object, or null if git has none.
   * @param name a name that always means the same object: an id, or an id with a suffix such as `^{tree}`
   */
  async read(name: string): Promise<StoredObject | null> {
    const known = this.#remembered.get(name);
    if (known) return known;
    const answer = await this.ask(name);
    const found = answer.kind === 'answer' ? answer.value.found : null;
    if (found && found.content.length <= MAX_REMEMBERED_BYTES) this.#remembered.set(name, found);
    return found;
  }

  /**
   * git's answer, which is not kept: the object, or null if git has none.
   * @param name without a newline
   */
  ask(name: string): Promise<Answer<{ readonly found: StoredObject | null }>> {
    return this.#reader.ask(`${name}\n`, readObject);
  }

  /**
   * Stores a file's bytes as durably as a commit's. Returns the id, or null if git could not store it.
   * @param path absolute, without a newline
   */
  async write(type: ObjectType, path: string): Promise<string | null> {
    const answer = await this.#writers[type].ask(`${path}\n`, readId);
    return answer.kind === 'answer' ? answer.value : null;
  }
}

const objectsOf = new Map<string, Objects>();

export function openObjects({ gitDir }: { readonly gitDir: string }): Objects {
  const objects = objectsOf.get(gitDir) ?? new Objects(gitDir);
  objectsOf.set(gitDir, objects);
  return objects;
}

/**
 * Stores several objects that refer to each other at the same time, because their ids can be computed first. Nothing
 * may refer to the last one before {@link areStored} has returned true.
 */
export class ObjectBatch {
  readonly #objects: Objects;
  readonly #folder: string;
  readonly #algorithm: string;
  readonly #stored: Promise<boolean>[] = [];

  /**
   * @param folder where objects are written for git to read
   * @param like any id of the repository; its length shows the hash algorithm
   */
  constructor(objects: Objects, folder: string, like: string) {
    this.#objects = objects;
    this.#folder = folder;
    this.#algorithm = like.length === 40 ? 'sha1' : 'sha256';
  }

  /** Returns the object's id. */
  add(type: 'tree' | 'commit', content: Buffer): string {
    const id = this.#nameOf(type, content);
    // If this fails, the caller lets git do the work.
    this.#stored.push(this.#store(type, id, content).catch(() => false));
    return id;
  }

  /**
   * The same for a file with this content.
   * @param path absolute, without a newline
   */
  addFile(path: string, content: Buffer): string {
    const id = this.#nameOf('blob', content);
    this.#stored.push(this.#objects.write('blob', path).then(stored => stored === id));
    return id;
  }

  /** Whether git has written all of them to the disk. Add nothing after this call. */
  async areStored(): Promise<boolean> {
    const stored = await Promise.all(this.#stored);
    removeIfEmpty(this.#folder);
    return stored.every(Boolean);
  }

  async #store(type: 'tree' | 'commit', id: string, content: Buffer): Promise<boolean> {
    const path = join(this.#folder, id);
    mkdirSync(this.#folder, { recursive: true });
    await writeNew(path, content);
    const stored = await this.#objects.write(type, path);
    unlinkSync(path);
    return stored === id;
  }

  #nameOf(type: ObjectType, content: Buffer): string {
    return createHash(this.#algorithm).update(`${type} ${content.length}\0`).update(content).digest('hex');
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Either nothing was stored, or another folder has taken its place.
  }
}

function readId(printed: Buffer): string | null {
  return /^([0-9a-f]{40,64})\n/.exec(printed.toString('latin1'))?.[1] ?? null;
}

/** Source: git-cat-file(1), "BATCH OUTPUT". */
function readObject(printed: Buffer): { readonly found: StoredObject | null } | null {
  const end = printed.indexOf('\n');
  if (end < 0) return null;
  const head = /^([0-9a-f]{40,64}) ([a-z]+) (\d+)$/.exec(printed.toString('latin1', 0, end));
  if (!head) return { found: null };
  const [, id = '', type = '', bytes] = head;
  const start = end + 1;
  const stop = start + Number(bytes);
  return printed.length > stop ? { found: { id, type, content: printed.subarray(start, stop) } } : null;
}
