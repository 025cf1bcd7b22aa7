import { startGit } from './git.ts';

type Child = Awaited<ReturnType<typeof startGit>>;

/** A git process that has been idle for this long is ended. */
const IDLE_MS = 30_000;

/**
 * git's answer to a request; or, if it ended, its exit code and message. The exit code is null if the request could
 * not be made.
 */
export type Answer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'ended'; readonly exitCode: number | null; readonly stderr: string };

/**
 * A git process that answers many requests, because starting a process takes most of the time of a small request.
 * Between two requests it holds nothing. It ends with the engine, or after some idle time; the next request starts
 * another.
 */
export class StayingGit {
  readonly #cwd: string;
  readonly #args: readonly string[];
  #child: Promise<Child> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(cwd: string, args: readonly string[]) {
    this.#cwd = cwd;
    this.#args = args;
  }

  /**
   * Sends one request at a time. Never rejects.
   * @param read parses the answer from git's output so far; null while it is incomplete
   */
  ask<T>(question: string, read: (printed: Buffer) => T | null): Promise<Answer<T>> {
    const answer = this.#last.then(() => this.#ask(question, read));
    this.#last = answer;
    return answer;
  }

  /** Ends the process once it has answered, so that the next request finds the repository as it is then. */
  renew(): void {
    this.#last = this.#last.then(() => this.#end());
  }

  async #ask<T>(question: string, read: (printed: Buffer) => T | null): Promise<Answer<T>> {
    clearTimeout(this.#idle);
    this.#child ??= startGit(this.#cwd, this.#args);
    const child = await this.#child.catch(() => null);
    const answer = child ? await converse(child, question, read) : NOT_ASKED;
    if (answer.kind === 'ended') this.#child = null;
    else this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
    return answer;
  }

  #end(): void {
    void this.#child?.then(child => child.stdin.end()).catch(() => {});
    this.#child = null;
  }
}

const NOT_ASKED = { kind: 'ended', exitCode: null, stderr: '' } as const;

async function converse<T>(
  child: Child,
  question: string,
  read: (printed: Buffer) => T | null,
): Promise<Answer<T>> {
  const { stdin, stdout, stderr } = child;
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return NOT_ASKED;
  const printed = new GrowingBuffer();
  let said = '';
  const { promise: answered, resolve } = Promise.withResolvers<Answer<T>>();
  const onAnswer = (chunk: Buffer) => {
    const value = read(printed.add(chunk));
    if (value !== null) resolve({ kind: 'answer', value });
  };
  const onWords = (chunk: Buffer) => {
    said += chunk;
  };
  stdout.on('data', onAnswer);
  stderr.on('data', onWords);
  hold(child, true);
  const onClose = () => resolve({ kind: 'ended', exitCode: child.exitCode, stderr: said });
  child.once('close', onClose);
  stdin.write(question);
  const answer = await answered;
  child.off('close', onClose);
  stdout.off('data', onAnswer);
  stderr.off('data', onWords);
  hold(child, false);
  return answer;
}

/** The engine waits for a working git before it exits, but not for an idle one. */
function hold(child: Child, isAtWork: boolean): void {
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
    const { ref, unref } = handle as { ref?: () => void; unref?: () => void };
    (isAtWork ? ref : unref)?.call(handle);
  }
}

/** Doubles its memory when it is full, so that a long answer is not copied again for each of its pieces. */
class GrowingBuffer {
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Returns all bytes so far. */
  add(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (this.#length === 0) this.#memory = chunk;
    else if (length > this.#memory.length) {
      const larger = Buffer.alloc(2 * length);
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    if (this.#length > 0) chunk.copy(this.#memory, this.#length);
    this.#length = length;
    return this.#memory.subarray(0, length);
  }
}
