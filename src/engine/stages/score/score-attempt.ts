import { rm } from 'node:fs/promises';
import type { Score } from '../../../shared/contract.ts';
import type { Crash, RunOutcome, Study, Summary } from '../../../shared/study.ts';
import { LineTail } from '../../metrics/line-tail.ts';
import { runTraining, type TrainingResult } from '../../process/run-training.ts';
import { addToLog, type CommandPlace, describeEnd } from '../measure/measure-attempt.ts';
import type { SurroundingsPorts } from '../train/surroundings.ts';
import { findArtifacts } from './artifacts.ts';
import { readScore } from './read-score.ts';
import { ScorePlace, type ScoreProgram } from './score-place.ts';

export type Scored = {
  /** What the scorer gave; null where it gave nothing that counts. */
  readonly values: Summary | null;
  readonly crash: Crash | null;
  readonly isAborted: boolean;
  readonly addedBytes: number;
  readonly survivors: readonly number[];
};

export type ScorePorts = SurroundingsPorts & {
  /** Bytes that may be written to the disk of Pawl's data. */
  readonly freeBytes: () => Promise<number>;
};

/**
 * Scores what a training left, once nothing of it runs any more. The scorer is the user's own code, in a checkout and a jail
 * of its own; the attempt's code, where it is needed, runs in another. Nothing that the training printed has a say.
 * @param place of the training: its limits, its log, to which both programs' output is added
 */
export async function scoreAttempt(
  study: Study,
  score: Score,
  commit: string,
  marker: string,
  place: Pick<CommandPlace, 'logPath' | 'signal' | 'limits' | 'killTimes'>,
  ports: ScorePorts,
): Promise<Scored> {
  const nothing = (crash: Crash | null): Scored => ({
    ...{ values: null, crash, isAborted: crash === null, addedBytes: 0, survivors: [] },
  });
  const { workbench } = ports;
  const artifacts = await findArtifacts(workbench.path, score.artifacts, path => workbench.isLocked(path));
  if (!artifacts?.length) {
    const what = artifacts === null ? 'more files than a scorer is given' : 'nothing';
    return nothing(noScore(`The training left ${what} for score.artifacts (${score.artifacts.join(', ')}).`));
  }
  const bytes = artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
  if (2 * bytes > (await ports.freeBytes())) {
    return nothing(
      noScore(`There is no room to copy the ${Math.ceil(bytes / 1024 ** 2)} MiB that score.artifacts names.`),
    );
  }
  const scoring = await ScorePlace.make(study, score, { commit, artifacts }, ports);
  try {
    const done = new AbortController();
    const run = async (name: string, program: ScoreProgram, signal: AbortSignal) => {
      const tail = new LineTail();
      const logPath = `${place.logPath}.${name}`;
      try {
        const options = { ...place, ...program, signal, logPath, limitSeconds: score.seconds };
        const result = await runTraining({ ...options, onOutput: chunk => tail.push(chunk) });
        const addedBytes = await addToLog(place.logPath, logPath, `score.${name}: ${program.command}`);
        return { result, tail: tail.lines(), addedBytes };
      } finally {
        await rm(logPath, { force: true });
      }
    };
    // Both first, so that neither waits at a pipe for one that is not coming.
    const scorer = await scoring.scorer(`${marker}.score`);
    const model = score.model === null ? null : await scoring.model(score.model, `${marker}.model`);
    const asked = model && run('model', model, AbortSignal.any([place.signal, done.signal]));
    // What never started opens no pipe; anything else closes its ends when it ends.
    void asked?.then(({ result }) => result.outcome.kind === 'spawn_failed' && done.abort());
    const ran = await run('command', scorer, AbortSignal.any([place.signal, done.signal])).finally(() =>
      done.abort(),
    );
    const other = await asked;
    const found = {
      addedBytes: ran.addedBytes + (other?.addedBytes ?? 0),
      survivors: [...ran.result.survivors, ...(other?.result.survivors ?? [])],
      isAborted: place.signal.aborted,
    };
    if (found.isAborted) return { values: null, crash: null, ...found };
    const fault = faultOf('score.command', ran, score.seconds);
    const values = fault === null ? readScore(await scoring.result(), study.contract.metric.name) : null;
    if (values !== null && typeof values !== 'string') return { values, crash: null, ...found };
    // A scorer that lost its model says so in its own words; why it was lost, the model says.
    const behind =
      other && !wasEnded(other.result.outcome) ? faultOf('score.model', other, score.seconds) : null;
    const message = [fault ?? values, behind].filter(Boolean).join(' ');
    return {
      values: null,
      crash: noScore(message, [...(behind ? (other?.tail ?? []) : []), ...ran.tail]),
      ...found,
    };
  } finally {
    await scoring.remove();
  }
}

function noScore(message: string, tail: readonly string[] = []): Crash {
  return { class: 'no_score', message, tail };
}

/** Whether Pawl ended it, once the scorer was done. */
function wasEnded(outcome: RunOutcome): boolean {
  return outcome.kind === 'aborted';
}

/** How a program failed, with its last words; null where it ended well. */
function faultOf(
  name: string,
  { result, tail }: { readonly result: TrainingResult; readonly tail: readonly string[] },
  seconds: number,
): string | null {
  const { outcome } = result;
  if (outcome.kind === 'exit' && outcome.code === 0) return null;
  const last = tail.at(-1);
  return `${name} ${describeEnd(outcome, seconds)}${last === undefined ? '' : `: ${last}`}.`;
}
