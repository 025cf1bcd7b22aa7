import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ANSWER_MS } from './remote-training.ts';

/**
 * Work in a folder on a network file system. While its server is out of reach, each call waits on one of the four threads that
 * all access to files shares, and neither can be ended nor lets the process end.
 */

/** So that the rest of the engine keeps threads for its own files. */
const MAX_CALLS = 2;

/** The folder has not answered somebody who waits no longer. */
export class FolderSilent extends Error {
  override readonly name = 'FolderSilent';
  override readonly message = 'The shared folder does not answer.';
}

let calls = 0;
const queue: (() => void)[] = [];

/** Whether a call to a folder has not returned. */
export function isFolderSilent(): boolean {
  return calls > 0;
}

/**
 * What the folder answers. Rejects with {@link FolderSilent} if the signal was aborted and there has been no answer for
 * `waitMs` since; the work may go on all the same.
 */
export async function inFolder<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  waitMs: number = ANSWER_MS,
): Promise<T> {
  const left = new AbortController();
  try {
    return await Promise.race([inTurn(work, left.signal), silence(signal, waitMs, left.signal)]);
  } finally {
    left.abort();
  }
}

async function inTurn<T>(work: () => Promise<T>, left: AbortSignal): Promise<T> {
  if (calls >= MAX_CALLS) await new Promise<void>(resolve => queue.push(resolve));
  else calls += 1;
  try {
    if (left.aborted) throw new FolderSilent();
    return await work();
  } finally {
    const next = queue.shift();
    if (next) next();
    else calls -= 1;
  }
}

async function silence(signal: AbortSignal, waitMs: number, left: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort', { signal: left });
  await delay(waitMs, undefined, { signal: left });
  throw new FolderSilent();
}
