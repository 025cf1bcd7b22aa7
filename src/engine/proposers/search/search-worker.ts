import { parentPort } from 'node:worker_threads';
import type { WorkerAnswer, WorkerQuestion } from './choose-in-worker.ts';
import { chooseByProcess } from './gaussian-search.ts';
import { weighConstants } from './importance.ts';
import { readValues } from './read-values.ts';

/** The threads of `choose-in-worker.ts`. An error ends one, and its exit reports the error. */
parentPort?.on('message', ({ id, ...question }: WorkerQuestion & { readonly id: number }) => {
  parentPort?.postMessage({ id, answer: answer(question) } satisfies WorkerAnswer);
});

function answer(question: WorkerQuestion): unknown {
  switch (question.kind) {
    case 'choose':
      return chooseByProcess(question.situation);
    case 'read':
      return readValues(question.question);
    case 'weigh':
      return weighConstants(question.question);
    default:
      return question satisfies never;
  }
}
