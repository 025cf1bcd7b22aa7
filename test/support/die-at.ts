/**
 * Preloaded into a pawl (`node --import`): ends it with SIGKILL at one exact point, which no signal from outside can
 * hit, or stops it there until it gets SIGCONT. `PAWL_TEST_DIE_AT` is a {@link DeathPoint} as JSON,
 * `PAWL_TEST_SIGNAL` is SIGKILL or SIGSTOP.
 */
import childProcess from 'node:child_process';
import { promisify } from 'node:util';
import BetterSqlite3 from 'better-sqlite3';

export type DeathPoint =
  /** Once an event with these properties has been written to stdout. */
  | { readonly event: Readonly<Record<string, unknown>> }
  /**
   * During or after the process's git call of this number (from 1): a git that is started, or a request to one that
   * keeps running. The called git itself continues.
   */
  | { readonly git: number; readonly when: 'started' | 'ended' }
  /** Before or after the ledger's transaction of this number (from 1). */
  | { readonly transaction: number; readonly when: 'before' | 'after' };

let isOver = false;

function die(): void {
  if (isOver) return;
  isOver = true;
  process.kill(process.pid, process.env.PAWL_TEST_SIGNAL ?? 'SIGKILL');
  // The signal may take a moment to reach every thread; nothing may run meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
}

function dieAtEvent(wanted: Readonly<Record<string, unknown>>): void {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((text: string) => {
    const written = write(text);
    for (const line of text.split('\n').filter(part => part.startsWith('{'))) {
      const event = JSON.parse(line) as Record<string, unknown>;
      // Writing to a pipe is synchronous, so the reader already has the event.
      if (Object.entries(wanted).every(([key, value]) => event[key] === value)) die();
    }
    return written;
  }) as typeof process.stdout.write;
}

function dieAtGit(number: number, when: 'started' | 'ended'): void {
  const { execFile, spawn } = childProcess;
  let calls = 0;
  // A git that keeps running gets its request as a line on stdin, and has handled it once it prints something.
  const counting = ((...args: Parameters<typeof spawn>) => {
    const child = spawn(...args);
    if (!/(?:^|\/)git$/.test(args[0])) return child;
    const write = child.stdin?.write.bind(child.stdin);
    if (!child.stdin || !write) return child;
    child.stdin.write = ((...written: Parameters<typeof write>) => {
      const hasRoom = write(...written);
      calls += 1;
      if (calls === number) {
        if (when === 'ended') child.stdout?.prependOnceListener('data', die);
        else setImmediate(() => setImmediate(die));
      }
      return hasRoom;
    }) as typeof write;
    return child;
  }) as typeof spawn;
  childProcess.spawn = counting;
  const replacement = ((...args: Parameters<typeof execFile>) => {
    const child = execFile(...args);
    calls += 1;
    if (calls === number) {
      if (when === 'ended') child.prependOnceListener('exit', die);
      // By then its input has been written.
      else setImmediate(() => setImmediate(die));
    }
    return child;
  }) as typeof execFile;
  // The promisified variant only queries git's version, and is not counted.
  childProcess.execFile = Object.assign(replacement, { [promisify.custom]: promisify(execFile) });
}

function dieAtTransaction(number: number, when: 'before' | 'after'): void {
  const prototype = BetterSqlite3.prototype as BetterSqlite3.Database;
  const original = prototype.transaction;
  let calls = 0;
  const replacement = function (this: BetterSqlite3.Database, work: () => unknown) {
    const transaction = original.call(this, work);
    const immediate = () => {
      calls += 1;
      if (calls === number && when === 'before') die();
      const result = transaction.immediate();
      if (calls === number) die();
      return result;
    };
    return Object.assign(() => transaction(), { immediate });
  };
  prototype.transaction = replacement as unknown as typeof original;
}

const point = JSON.parse(process.env.PAWL_TEST_DIE_AT ?? 'null') as DeathPoint | null;
if (point && 'event' in point) dieAtEvent(point.event);
else if (point && 'git' in point) dieAtGit(point.git, point.when);
else if (point) dieAtTransaction(point.transaction, point.when);
