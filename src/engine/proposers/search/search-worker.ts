import { parentPort } from 'node:worker_threads';
import type { WorkerAnswer } from './choose-in-worker.ts';
import { chooseByProcess, type Situation } from './gaussian-search.ts';

/** The thread of `chooseInWorker`. An error ends it, and its exit reports the error. */
parentPort?.on('message', ({ id, situation }: { readonly id: number; readonly situation: Situation }) => {
  parentPort?.postMessage({ id, choice: chooseByProcess(situation) } satisfies WorkerAnswer);
});
