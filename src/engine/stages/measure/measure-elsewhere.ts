import { createReadStream } from 'node:fs';
import type { Contract } from '../../../shared/contract/contract.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import { LineTail } from '../../metrics/line-tail.ts';
import type { OutputReader } from '../../metrics/output-reader.ts';
import type { RemoteResult } from '../../remote/remote-training.ts';
import { outcomeOfCommand } from '../../remote/result.ts';
import { findUnmet } from '../judge/requirements.ts';
import { endedWell } from '../train/ended-run.ts';
import { addToLog, commandReader, describeEnd, type MeasuredByCommands } from './measure-attempt.ts';

/**
 * Like {@link measureAttempt}, for a run on another machine: `metric.command` and the checks have already run there,
 * right after the training.
 */
export async function measureElsewhere(
  contract: Contract,
  training: OutputReader,
  there: RemoteResult,
  logPath: string,
): Promise<MeasuredByCommands> {
  const measured = await readMetric(contract, training, there, logPath);
  if (measured.crash) return measured;
  const checked = await readChecks(contract, there, logPath);
  return {
    ...measured,
    guard: measured.guard ?? checked.guard,
    addedBytes: measured.addedBytes + checked.addedBytes,
  };
}

async function readMetric(
  { metric, score }: Contract,
  training: OutputReader,
  { metric: command }: RemoteResult,
  logPath: string,
): Promise<MeasuredByCommands> {
  const units = Object.fromEntries(training.units);
  const reader = commandReader(metric, units);
  const none = { isAborted: false, survivors: [] };
  // A scorer prints the conditions' values, and so does a command that prints the number later.
  const isLater = score !== null || (metric.waitSeconds !== null && metric.command !== null);
  if (!command) {
    const guard = isLater ? null : findUnmet(metric.require, name => training.printed(name));
    return { ...none, summary: null, units, crash: null, guard, addedBytes: 0 };
  }
  const tail = new LineTail();
  for await (const chunk of createReadStream(command.log)) {
    tail.push(chunk as Buffer);
    reader.push(chunk as Buffer);
  }
  reader.end();
  const addedBytes = await addToLog(logPath, command.log, `metric.command: ${metric.command ?? ''}`);
  const outcome = outcomeOfCommand(command.end);
  const isWell = endedWell(outcome);
  const summary = isWell ? reader.summary() : null;
  const crash = isWell
    ? reader.classify(outcome, metric.name, metric.commandSeconds)
    : {
        class: 'no_metric' as const,
        message: `metric.command ${describeEnd(outcome, metric.commandSeconds)}, so there is no ${metric.name}.`,
        tail: tail.lines(),
      };
  const guard =
    crash || isLater
      ? null
      : findUnmet(metric.require, name => reader.printed(name) ?? training.printed(name));
  return { ...none, summary, units: Object.fromEntries(reader.units), crash, guard, addedBytes };
}

async function readChecks(
  { checks }: Contract,
  there: RemoteResult,
  logPath: string,
): Promise<{ readonly guard: GuardFailure | null; readonly addedBytes: number }> {
  let addedBytes = 0;
  for (const [at, { name, command, seconds }] of checks.entries()) {
    const failed = { kind: 'check' as const, name, wanted: command };
    const ran = there.checks[at];
    if (!ran) return { guard: { ...failed, found: 'did not run', tail: [] }, addedBytes };
    addedBytes += await addToLog(logPath, ran.log, `${name}: ${command}`);
    const outcome = outcomeOfCommand(ran.end);
    if (endedWell(outcome)) continue;
    const tail = new LineTail();
    for await (const chunk of createReadStream(ran.log)) tail.push(chunk as Buffer);
    return { guard: { ...failed, found: describeEnd(outcome, seconds), tail: tail.lines() }, addedBytes };
  }
  return { guard: null, addedBytes };
}
