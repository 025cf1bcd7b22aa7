import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Choice } from './choice.ts';
import type { Situation } from './gaussian-search.ts';
import type { Importance, ImportanceQuestion } from './importance.ts';
import type { Reading, ReadingQuestion } from './read-values.ts';

/** A request to the thread. */
export type WorkerQuestion =
  | { readonly kind: 'choose'; readonly situation: Situation }
  | { readonly kind: 'read'; readonly question: ReadingQuestion }
  | { readonly kind: 'weigh'; readonly question: ImportanceQuestion };
/** An answer of the thread, in the order of the requests. */
export type WorkerAnswer = { readonly id: number; readonly answer: unknown };

/** The bundler sets the built file's name here. */
const WORKER_FILE = join(import.meta.dirname, './search-worker.ts');

type Waiting = {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
};
type Running = { readonly worker: Worker; readonly waiting: Map<number, Waiting> };

/**
 * One thread per process for choosing, because a proposal takes a fraction of a second and starting a thread would
 * take as long. Another thread answers windows' questions about constants, so that no proposal waits for them.
 */
const threads: { choosing: Running | null; looking: Running | null } = { choosing: null, looking: null };
let asked = 0;

/**
 * Runs `chooseByProcess` in a thread, so that nothing else waits for it. Rejects with the signal's reason, or with
 * the thread's error.
 */
export async function chooseInWorker(situation: Situation, signal: AbortSignal): Promise<Choice | null> {
  return (await ask('choosing', { kind: 'choose', situation }, signal)) as Choice | null;
}

/** `readValues` in a thread. */
export async function readInWorker(question: ReadingQuestion): Promise<Reading> {
  return (await ask('looking', { kind: 'read', question })) as Reading;
}

/** `weighConstants` in a thread. */
export async function weighInWorker(question: ImportanceQuestion): Promise<Importance | null> {
  return (await ask('looking', { kind: 'weigh', question })) as Importance | null;
}

async function ask(
  name: keyof typeof threads,
  question: WorkerQuestion,
  signal?: AbortSignal,
): Promise<unknown> {
  signal?.throwIfAborted();
  const thread = threads[name] ?? start(name);
  threads[name] = thread;
  const { worker, waiting } = thread;
  asked += 1;
  const id = asked;
  const abort = () => waiting.get(id)?.reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  // The process stays alive for the answer, but not for an idle thread.
  worker.ref();
  try {
    return await new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...question });
    });
  } finally {
    signal?.removeEventListener('abort', abort);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  }
}

function start(name: keyof typeof threads): Running {
  const worker = new Worker(WORKER_FILE);
  const waiting = new Map<number, Waiting>();
  const running: Running = { worker, waiting };
  const fail = (error: unknown) => {
    if (threads[name] === running) threads[name] = null;
    for (const { reject } of waiting.values()) reject(error);
  };
  worker.on('message', ({ id, answer }: WorkerAnswer) => waiting.get(id)?.resolve(answer));
  worker.on('error', fail);
  worker.on('exit', code => fail(new Error(`The search's thread ended with ${code}.`)));
  return running;
}
