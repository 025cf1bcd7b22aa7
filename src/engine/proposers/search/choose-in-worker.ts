import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Choice } from './choice.ts';
import type { Situation } from './gaussian-search.ts';

/** What the worker answers, in the order it is asked. */
export type WorkerAnswer = { readonly id: number; readonly choice: Choice | null };

/** The bundler puts the name of the built file here. */
const WORKER_FILE = join(import.meta.dirname, './search-worker.ts');

type Waiting = {
  readonly resolve: (choice: Choice | null) => void;
  readonly reject: (error: unknown) => void;
};
type Running = { readonly worker: Worker; readonly waiting: Map<number, Waiting> };

/** One for the whole process: a proposal takes a fraction of a second, and its start would take as long. */
let running: Running | null = null;
let asked = 0;

/**
 * `chooseByProcess` in a thread of its own, so that nothing else waits for it. Rejects with the signal's reason, and with
 * what the thread threw.
 */
export async function chooseInWorker(situation: Situation, signal: AbortSignal): Promise<Choice | null> {
  signal.throwIfAborted();
  running ??= start();
  const { worker, waiting } = running;
  asked += 1;
  const id = asked;
  const abort = () => waiting.get(id)?.reject(signal.reason);
  signal.addEventListener('abort', abort);
  // A process that has nothing else to do waits for the answer, and not for the thread.
  worker.ref();
  try {
    return await new Promise<Choice | null>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, situation });
    });
  } finally {
    signal.removeEventListener('abort', abort);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  }
}

function start(): Running {
  const worker = new Worker(WORKER_FILE);
  const waiting = new Map<number, Waiting>();
  const fail = (error: unknown) => {
    if (running?.worker === worker) running = null;
    for (const { reject } of waiting.values()) reject(error);
  };
  worker.on('message', ({ id, choice }: WorkerAnswer) => waiting.get(id)?.resolve(choice));
  worker.on('error', fail);
  worker.on('exit', code => fail(new Error(`The search's thread ended with ${code}.`)));
  return { worker, waiting };
}
