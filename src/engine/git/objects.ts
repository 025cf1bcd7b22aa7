import { createHash } from 'node:crypto';
import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { writeNew } from '../small-files.ts';
import { gitFailure } from './git-errors.ts';
import { MAX_REMEMBERED_BYTES, Remembered } from './remember.ts';
import { type Answer, StayingGit } from './staying-git.ts';

/** @property bytes size of the content */
export type ObjectHead = { readonly id: string; readonly type: string; readonly bytes: number };
export type StoredObject = Omit<ObjectHead, 'bytes'> & { readonly content: Buffer };
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
    this.#reader = start('cat-file', '--batch-command', '-z');
    this.#writers = { blob: writerOf('blob'), tree: writerOf('tree'), commit: writerOf('commit') };
  }

  /**
   * The object, or null if git has none.
   * @param name a name that always means the same object: an id, or an id with a suffix such as `^{tree}`
   */
  async read(name: string): Promise<StoredObject | null> {
    const known = this.#remembered.get(name);
    if (known) return known;
    const answer = await this.ask([name]);
    const found = answer.kind === 'answer' ? answer.value[0] : null;
    if (found && found.content.length <= MAX_REMEMBERED_BYTES) this.#remembered.set(name, found);
    return found ?? null;
  }

  /**
   * git's answer, which is not kept: the objects in the given order, null for those that git does not have.
   * @param names as in gitrevisions(7)
   */
  ask(names: readonly string[]): Promise<Answer<readonly (StoredObject | null)[]>> {
    return this.#ask('contents', names, readObject);
  }

  /** The same without the objects' content. */
  askForHeads(names: readonly string[]): Promise<Answer<readonly (ObjectHead | null)[]>> {
    return this.#ask('info', names, readHead);
  }

  async #ask<T>(command: string, names: readonly string[], read: ReadOne<T>): Promise<Answer<readonly T[]>> {
    if (names.length === 0) return { kind: 'answer', value: [] };
    // A NUL would end the request; git has nothing of such a name, and nothing without a name.
    const asked = names.map(name => (name.includes('\0') ? '' : name));
    const question = asked.map(name => `${command} ${name}\0`).join('');
    const answer = await this.#reader.ask(question, readEach(asked, read));
    // A git that was killed while it was idle, or that died with its answer unread, is replaced once.
    return answer.kind === 'ended' && answer.exitCode === null
      ? this.#reader.ask(question, readEach(asked, read))
      : answer;
  }

  /** Forgets where git found objects so far: another repository may lie there now. */
  renew(): void {
    for (const process of [this.#reader, ...Object.values(this.#writers)]) process.renew();
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

/** What git answered. Throws `git_failed` if it ended instead. */
export function answerOf<T>(answer: Answer<T>): T {
  if (answer.kind === 'answer') return answer.value;
  throw gitFailure('', ['cat-file'], answer.exitCode ?? -1, answer.stderr);
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

/** The answer about one object, and where the next one begins; null while it is incomplete. */
type One<T> = { readonly found: T; readonly end: number } | null;
type ReadOne<T> = (printed: Buffer, at: number, name: string) => One<T>;

/** Reads the answers about several objects. It is called with all bytes so far, and reads none of them twice. */
function readEach<T>(names: readonly string[], read: ReadOne<T>): (printed: Buffer) => readonly T[] | null {
  const found: T[] = [];
  let at = 0;
  return printed => {
    for (const name of names.slice(found.length)) {
      const next = read(printed, at, name);
      if (!next) return null;
      found.push(next.found);
      at = next.end;
    }
    return found;
  };
}

/**
 * Source: git-cat-file(1), "BATCH OUTPUT". For an object that it does not have, git prints the name, which may contain
 * newlines, and one word; for one of a submodule its id and one word.
 */
function readHead(printed: Buffer, at: number, name: string): One<ObjectHead | null> {
  const lineEnd = printed.indexOf(10, at);
  if (lineEnd < 0) return null;
  const line = /^([0-9a-f]{40,64}) ([a-z]+)(?: (\d+))?$/.exec(printed.toString('latin1', at, lineEnd));
  const [, id = '', type = '', bytes] = line ?? [];
  if (bytes !== undefined) return { found: { id, type, bytes: Number(bytes) }, end: lineEnd + 1 };
  if (line) return { found: null, end: lineEnd + 1 };
  const end = printed.indexOf(10, at + Buffer.byteLength(name));
  return end < 0 ? null : { found: null, end: end + 1 };
}

function readObject(printed: Buffer, at: number, name: string): One<StoredObject | null> {
  const head = readHead(printed, at, name);
  if (!head?.found) return head && { found: null, end: head.end };
  const { id, type, bytes } = head.found;
  const stop = head.end + bytes;
  // A newline follows the content.
  if (printed.length <= stop) return null;
  return { found: { id, type, content: printed.subarray(head.end, stop) }, end: stop + 1 };
}
