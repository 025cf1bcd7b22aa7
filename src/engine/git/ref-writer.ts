import { once } from 'node:events';
import { startGit } from './git.ts';
import { gitOf, type Repository } from './repository.ts';

type Child = Awaited<ReturnType<typeof startGit>>;

/** How a transaction ended; the exit code of a git that refused it, with its words. */
export type RefTransaction = { readonly exitCode: number; readonly stderr: string };

/** A git that nobody has needed for so long is let go. */
const IDLE_MS = 30_000;

/**
 * Writes the refs of one repository through one `git update-ref` that stays: the start of a process is most of what a ref
 * costs. Between two transactions it holds nothing, and it ends with the engine.
 * Source: git-update-ref(1), "start", "commit".
 */
class RefWriter {
  readonly #repository: Repository;
  #child: Promise<Child> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** @param commands of `update-ref --stdin -z`, all or none of which happen */
  write(commands: string): Promise<RefTransaction> {
    const done = this.#last.then(() => this.#write(commands));
    this.#last = done.catch(() => {});
    return done;
  }

  async #write(commands: string): Promise<RefTransaction> {
    clearTimeout(this.#idle);
    const result = await this.#ask(commands).catch(() => null);
    if (result?.exitCode !== 0) this.#child = null;
    else this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
    if (result) return result;
    // One that could not be started, or had ended before it was asked, says nothing of the refs.
    const options = { stdin: commands, accept: [0, 128] };
    return gitOf(this.#repository, ['update-ref', '--stdin', '-z'], options);
  }

  async #ask(commands: string): Promise<RefTransaction | null> {
    const { gitDir } = this.#repository;
    this.#child ??= startGit(gitDir, ['--git-dir', gitDir, 'update-ref', '--stdin', '-z']);
    const child = await this.#child;
    hold(child, true);
    const result = await transact(child, commands);
    hold(child, false);
    return result;
  }

  #end(): void {
    void this.#child?.then(child => child.stdin.end()).catch(() => {});
    this.#child = null;
  }
}

/** The engine waits for a git that is at work, and may end while one only stays. */
function hold(child: Child, isAtWork: boolean): void {
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
    const { ref, unref } = handle as { ref?: () => void; unref?: () => void };
    (isAtWork ? ref : unref)?.call(handle);
  }
}

/** Null where the process was not there for it. */
async function transact(child: Child, commands: string): Promise<RefTransaction | null> {
  const { stdin, stdout, stderr } = child;
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return null;
  let [answer, said] = ['', ''];
  const { promise: committed, resolve } = Promise.withResolvers<void>();
  const onAnswer = (chunk: Buffer) => {
    answer += chunk;
    if (answer.includes('commit: ok\n')) resolve();
  };
  const onWords = (chunk: Buffer) => {
    said += chunk;
  };
  stdout.on('data', onAnswer);
  stderr.on('data', onWords);
  const done = new AbortController();
  const ended = once(child, 'close', { signal: done.signal }).catch(() => null);
  stdin.write(`start\0${commands}commit\0`);
  const end = await Promise.race([committed, ended]);
  done.abort();
  stdout.off('data', onAnswer);
  stderr.off('data', onWords);
  if (end === undefined) return { exitCode: 0, stderr: '' };
  const exitCode = child.exitCode;
  return exitCode === null || said === '' ? null : { exitCode, stderr: said };
}

const writers = new Map<string, RefWriter>();

/** All or none of the commands happen; see {@link RefWriter}. */
export function writeRefs(repository: Repository, commands: string): Promise<RefTransaction> {
  const { gitDir } = repository;
  const writer = writers.get(gitDir) ?? new RefWriter(repository);
  writers.set(gitDir, writer);
  return writer.write(commands);
}
