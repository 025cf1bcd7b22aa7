import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Score } from '../../../shared/contract/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import type { Crash, Study, Summary } from '../../../shared/study.ts';
import { LineTail } from '../../metrics/line-tail.ts';
import { awakeMs } from '../../process/awake-clock.ts';
import { runTraining, type TrainingResult } from '../../process/run-training.ts';
import { addToLog, type CommandPlace, describeEnd } from '../measure/measure-attempt.ts';
import { endedWell } from '../train/ended-run.ts';
import type { SurroundingsPorts } from '../train/surroundings.ts';
import { type Artifact, type Ask, findArtifacts } from './artifacts.ts';
import { readScore } from './read-score.ts';
import { ScorePlace, type ScoreProgram } from './score-place.ts';

/**
 * Beside a run's log: the programs' output if there is hidden data, because it may contain that data. No proposer
 * reads it.
 */
const SCORE_LOG = 'score.log';
/** An attempt whose scoring takes this many times the baseline's may be training on the questions. */
const LONGER = 3;
const LONGER_SECONDS = 10;
/** How long a model program may take to end after its scorer. */
const LAST_WORDS_MS = 1_000;

export type Scored = {
  /** The scorer's numbers; null if it gave none that count. */
  readonly values: Summary | null;
  readonly crash: Crash | null;
  readonly isAborted: boolean;
  /** Bytes appended to the run's log. */
  readonly addedBytes: number;
  /** How long the programs ran. */
  readonly seconds: number;
  readonly survivors: readonly number[];
};

export type ScoreRun = {
  readonly commit: string;
  /** Where the training left its files. */
  readonly from: string;
  readonly ask: Ask;
  /** In the environment of the run's processes. */
  readonly marker: string;
  /** How long the baseline's scoring took; null for the baseline itself, or if unknown. */
  readonly baselineSeconds: number | null;
};

export type ScorePorts = SurroundingsPorts & {
  /** How many bytes may be written to the disk of Pawl's data. */
  readonly roomBytes: () => number;
};

type Ran = {
  readonly result: TrainingResult;
  readonly tail: readonly string[];
  readonly addedBytes: number;
};

/**
 * Scores the files that a training left, once all of its processes have ended. The scorer is the user's own code, in
 * a separate checkout and jail; if the attempt's code is needed, it runs in another one. The training's output has no
 * influence. A fault in those files becomes a crash, never a rejection.
 * @param place the training's: its limits, and its log, to which both programs' output is appended
 */
export async function scoreAttempt(
  study: Study,
  score: Score,
  run: ScoreRun,
  place: Pick<CommandPlace, 'logPath' | 'signal' | 'limits' | 'killTimes'>,
  ports: ScorePorts,
): Promise<Scored> {
  const none = { values: null, isAborted: false, addedBytes: 0, seconds: 0, survivors: [] };
  const scoring = await ScorePlace.open(study, score, ports);
  try {
    const fault = await layOut(scoring, score, run, place.signal, ports);
    return fault ? { ...none, crash: fault } : await runPrograms(scoring, study, score, run, place);
  } catch (error) {
    if (place.signal.aborted) return { ...none, crash: null, isAborted: true };
    throw error;
  } finally {
    await scoring.remove();
  }
}

/** Null if everything is ready; otherwise why it is not. */
async function layOut(
  scoring: ScorePlace,
  { artifacts: patterns }: Score,
  { commit, from, ask }: ScoreRun,
  signal: AbortSignal,
  { workbench, roomBytes }: ScorePorts,
): Promise<Crash | null> {
  const found = async (): Promise<readonly Artifact[] | string> => {
    const artifacts = await ask(() => findArtifacts(from, patterns, path => workbench.isLocked(path)));
    const names = patterns.join(', ');
    if (artifacts === null)
      return `The training left more files for score.artifacts than a scorer gets (${names}).`;
    if (artifacts.length === 0) return `The training left nothing for score.artifacts (${names}).`;
    const bytes = artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
    if (bytes <= roomBytes()) return artifacts;
    return `There is no room to copy the ${Math.ceil(bytes / 1024 ** 2)} MiB that score.artifacts names.`;
  };
  try {
    const artifacts = await found();
    if (typeof artifacts === 'string') return noScore(artifacts);
    await scoring.layOut(commit, from, artifacts, signal, ask);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    // A failure of git or the disk is not the attempt's fault.
    if (error instanceof PawlError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    const crash = noScore(`The scorer's files could not be copied (${code || message}).`);
    return code === 'ENOSPC' ? { ...crash, class: 'disk_full' } : crash;
  }
}

async function runPrograms(
  scoring: ScorePlace,
  study: Study,
  score: Score,
  { marker, baselineSeconds }: ScoreRun,
  place: Pick<CommandPlace, 'logPath' | 'signal' | 'limits' | 'killTimes'>,
): Promise<Scored> {
  const isHidden = score.reads.length > 0;
  const log = isHidden ? join(dirname(place.logPath), SCORE_LOG) : place.logPath;
  if (isHidden) await writeFile(log, '');
  const usual = baselineSeconds === null ? score.seconds : LONGER * baselineSeconds + LONGER_SECONDS;
  const limitSeconds = Math.min(score.seconds, usual);
  const done = new AbortController();
  const signal = AbortSignal.any([place.signal, done.signal]);
  const run = async (name: string, program: ScoreProgram): Promise<Ran> => {
    const tail = new LineTail();
    const logPath = `${place.logPath}.${name}`;
    try {
      const options = { ...place, ...program, signal, logPath, limitSeconds };
      const result = await runTraining({ ...options, onOutput: chunk => tail.push(chunk) });
      return {
        ...{ result, tail: tail.lines() },
        addedBytes: await addToLog(log, logPath, `score.${name}: ${program.command}`),
      };
    } finally {
      await rm(logPath, { force: true });
    }
  };
  const began = awakeMs();
  // Both jails are built first, so that a started program does not have to wait for the other's.
  const scorer = await scoring.scorer(`${marker}.score`);
  const models: (readonly [(typeof scoring.models)[number], ScoreProgram])[] = [];
  for (const who of scoring.models)
    models.push([who, await scoring.model(who, score.model ?? '', `${marker}.${who}`)]);
  const asked = Promise.allSettled(
    models.map(([who, program]) => run(who, program).finally(() => scoring.closePipes([who]))),
  );
  const scored = run('command', scorer).finally(async () => {
    // The model program reaches the end of its questions, and has a moment to end by itself.
    await scoring.closePipes();
    await Promise.race([asked, delay(LAST_WORDS_MS, undefined, { ref: false })]);
    done.abort();
  });
  const [ran, ...others] = [...(await Promise.allSettled([scored])), ...(await asked)].map(ended => {
    if (ended.status === 'rejected') throw ended.reason;
    return ended.value;
  });
  if (!ran) throw new Error('a scorer that ended is gone');
  const found = {
    addedBytes: isHidden ? 0 : [ran, ...others].reduce((sum, { addedBytes }) => sum + addedBytes, 0),
    survivors: [ran, ...others].flatMap(({ result }) => result.survivors),
    isAborted: place.signal.aborted,
    seconds: (awakeMs() - began) / 1000,
  };
  if (found.isAborted) return { values: null, crash: null, ...found };
  const words = (name: string, of: Ran) => faultOf(name, of, limitSeconds, isHidden);
  const fault = words('score.command', ran);
  const values = fault === null ? readScore(await scoring.result(), study.contract.metric.name) : null;
  if (values !== null && typeof values !== 'string') return { values, crash: null, ...found };
  // A scorer that lost its model reports that; the reason is in the model program's own output.
  const lost = others.find(({ result }) => result.outcome.kind !== 'aborted' && !endedWell(result.outcome));
  const behind = lost ? words('score.model', lost) : null;
  const where = isHidden ? `Their output is in ${SCORE_LOG} beside the run's log.` : null;
  const message = [fault ?? values, behind, where].filter(Boolean).join(' ');
  const tail = isHidden ? [] : [...(behind ? (lost?.tail ?? []) : []), ...ran.tail];
  return { values: null, crash: noScore(message, tail), ...found };
}

function noScore(message: string, tail: readonly string[] = []): Crash {
  return { class: 'no_score', message, tail };
}

/**
 * How a program failed, with its last output; null if it ended well.
 * @param isHidden whether its output may contain hidden data
 */
function faultOf(name: string, { result, tail }: Ran, seconds: number, isHidden: boolean): string | null {
  const { outcome } = result;
  if (endedWell(outcome)) return null;
  // A sentence has its own full stop.
  const last = isHidden ? undefined : tail.at(-1)?.replace(/\.$/, '');
  return `${name} ${describeEnd(outcome, Math.round(seconds))}${last === undefined ? '' : `: ${last}`}.`;
}
