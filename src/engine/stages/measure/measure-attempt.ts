import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Check, Contract } from '../../../shared/contract/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import { formatSeconds } from '../../../shared/numbers.ts';
import type { Crash, RunOutcome, Summary } from '../../../shared/study.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import { LineTail } from '../../metrics/line-tail.ts';
import { measure } from '../../metrics/measure.ts';
import { OutputReader } from '../../metrics/output-reader.ts';
import { runTraining, type TrainingOptions, type TrainingResult } from '../../process/run-training.ts';
import { findUnmet } from '../judge/requirements.ts';
import { endedWell } from '../train/ended-run.ts';

/** How much of a command's output the run's log keeps, from the end. */
const KEPT_OUTPUT_BYTES = 256 * 1024;

/** Where the commands run: in the training's place. */
export type CommandPlace = Omit<
  TrainingOptions,
  'command' | 'logPath' | 'limitSeconds' | 'onOutput' | 'onStart' | 'enough'
> & {
  /** The run's log; the commands' output is appended. */
  readonly logPath: string;
};

export type MeasuredByCommands = {
  /** From `metric.command`, in place of the training's own. */
  readonly summary: Summary | null;
  readonly units: Readonly<Record<string, string>>;
  /** Why there is no number; null if there is one, or if none is expected here. */
  readonly crash: Crash | null;
  readonly guard: GuardFailure | null;
  readonly addedBytes: number;
  /** How the last command ended, if the study was asked to stop during it. */
  readonly isAborted: boolean;
  readonly survivors: readonly number[];
};

/**
 * Measures after a training that ended well: `metric.command` gives the number if the training does not, the
 * conditions are evaluated, and the checks run in order until one fails. All of these run the attempt's code, so they
 * run where the training ran.
 * @param training the reader of the training's output
 */
export async function measureAttempt(
  contract: Contract,
  training: OutputReader,
  place: CommandPlace,
): Promise<MeasuredByCommands> {
  const { metric, checks } = contract;
  let summary: Summary | null = null;
  let crash: Crash | null = null;
  let guard: GuardFailure | null = null;
  let addedBytes = 0;
  const survivors: number[] = [];
  const units = Object.fromEntries(training.units);
  const reader = commandReader(metric, units);
  const run = async (command: Check, onOutput: (chunk: Buffer) => void = () => {}) => {
    const ran = await runToLog(command, place, onOutput);
    addedBytes += ran.addedBytes;
    survivors.push(...ran.result.survivors);
    return ran;
  };
  const end = (isAborted: boolean): MeasuredByCommands => ({
    ...{ summary, crash, guard, addedBytes, isAborted, survivors },
    units: Object.fromEntries(reader.units),
  });

  if (metric.command !== null && metric.waitSeconds === null) {
    const own = { name: 'metric.command', command: metric.command, seconds: metric.commandSeconds };
    const { result, tail } = await run(own, chunk => reader.push(chunk));
    reader.end();
    const { outcome } = result;
    if (outcome.kind === 'aborted') return end(true);
    summary = reader.summary();
    crash = endedWell(outcome)
      ? reader.classify(outcome, metric.name, metric.commandSeconds)
      : {
          class: 'no_metric',
          message: `metric.command ${describeEnd(outcome, metric.commandSeconds)}, so there is no ${metric.name}.`,
          tail,
        };
    if (crash) return end(false);
  }
  // A command that prints the number later also prints the conditions' values then, and so does a scorer.
  const isLater = contract.score !== null || (metric.waitSeconds !== null && metric.command !== null);
  guard = isLater ? null : findUnmet(metric.require, name => reader.printed(name) ?? training.printed(name));
  if (guard) return end(false);
  for (const check of checks) {
    const { result, tail } = await run(check);
    const { outcome } = result;
    if (outcome.kind === 'aborted') return end(true);
    if (endedWell(outcome)) continue;
    const found = describeEnd(outcome, check.seconds);
    guard = { kind: 'check', name: check.name, wanted: check.command, found, tail };
    break;
  }
  return end(false);
}

/**
 * Runs `metric.command` without logging it; returns its number and the conditions on its output, or null if there is
 * no number yet.
 */
export async function askMetricCommand(
  { metric }: Contract,
  units: Readonly<Record<string, string>>,
  place: CommandPlace,
): Promise<{ readonly value: number; readonly guard: GuardFailure | null } | null> {
  if (metric.command === null) return null;
  const reader = commandReader(metric, units);
  const { command, commandSeconds } = metric;
  const { outcome } = await runAside(command, commandSeconds, place, chunk => reader.push(chunk));
  reader.end();
  const value = endedWell(outcome) ? measure(reader.summary(), metric).metric : null;
  return value === null ? null : { value, guard: findUnmet(metric.require, name => reader.printed(name)) };
}

/**
 * A reader for the output of a command that runs after the training.
 * @param units of the training's values
 */
export function commandReader(
  metric: Contract['metric'],
  units: Readonly<Record<string, string>>,
): OutputReader {
  return new OutputReader(
    () => {},
    () => 0,
    { metric, units },
  );
}

export function describeEnd(outcome: RunOutcome, seconds: number): string {
  switch (outcome.kind) {
    case 'exit':
      return `ended with exit code ${outcome.code}`;
    case 'signal':
      return `was ended by signal ${outcome.signal}`;
    case 'timeout':
      return `timed out after ${formatSeconds(seconds)}`;
    case 'flooded':
      return 'was ended because it printed too much';
    case 'limited':
    case 'spawn_failed':
      return `failed (${outcome.message})`;
    default:
      return `did not end (${outcome.kind})`;
  }
}

/**
 * Runs a command whose output goes to a temporary log.
 * @param keep called with that log before it is removed
 */
async function runAside(
  command: string,
  seconds: number,
  place: CommandPlace,
  onOutput: (chunk: Buffer) => void,
  keep: (result: TrainingResult, log: string) => Promise<void> = async () => {},
): Promise<TrainingResult> {
  const logPath = `${place.logPath}.command`;
  try {
    const result = await runTraining({ ...place, command, logPath, limitSeconds: seconds, onOutput });
    await keep(result, logPath);
    return result;
  } finally {
    await rm(logPath, { force: true });
    await rm(`${logPath}.end`, { force: true });
  }
}

/** Runs a command and appends its output to the run's log. */
async function runToLog(
  { name, command, seconds }: Check,
  place: CommandPlace,
  onOutput: (chunk: Buffer) => void,
): Promise<{
  readonly result: TrainingResult;
  readonly tail: readonly string[];
  readonly addedBytes: number;
}> {
  const tail = new LineTail();
  const take = (chunk: Buffer) => {
    tail.push(chunk);
    onOutput(chunk);
  };
  let addedBytes = 0;
  const result = await runAside(command, seconds, place, take, async ({ logError }, log) => {
    if (logError) {
      const message = `What ${name} printed could not be written (${logError.message}). Make room, then "pawl resume".`;
      throw new PawlError('disk_full', message, { cause: logError });
    }
    addedBytes = await addToLog(place.logPath, log, `${name}: ${command}`);
  });
  return { result, tail: tail.lines(), addedBytes };
}

/** So that a single log contains everything about a run. */
export async function addToLog(log: string, from: string, title: string): Promise<number> {
  const { size } = await stat(from);
  const before = (await stat(log)).size;
  const stream = createWriteStream(log, { flags: 'a' });
  stream.write(`\n[pawl] ${title.replaceAll(/\s+/g, ' ')}\n`);
  await pipeline(createReadStream(from, { start: Math.max(0, size - KEPT_OUTPUT_BYTES) }), stream);
  return (await stat(log)).size - before;
}
