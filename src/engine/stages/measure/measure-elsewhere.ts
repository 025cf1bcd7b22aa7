import { createReadStream } from 'node:fs';
import type { Contract } from '../../../shared/contract.ts';
import type { OutputReader } from '../../metrics/output-reader.ts';
import type { RemoteResult } from '../../remote/remote-training.ts';
import { findUnmet } from '../judge/requirements.ts';
import { addToLog, commandReader, type MeasuredByCommands } from './measure-attempt.ts';

/**
 * Like {@link measureAttempt}, for a run on another machine: `metric.command` has already run there, right after the
 * training.
 */
export async function measureElsewhere(
  { metric, score }: Contract,
  training: OutputReader,
  { metric: command }: RemoteResult,
  logPath: string,
): Promise<MeasuredByCommands> {
  const units = Object.fromEntries(training.units);
  const reader = commandReader(metric, units);
  const none = { isAborted: false, survivors: [] };
  if (!command) {
    const isLater = score !== null || metric.waitSeconds !== null;
    const guard = isLater ? null : findUnmet(metric.require, name => training.printed(name));
    return { ...none, summary: null, units, crash: null, guard, addedBytes: 0 };
  }
  for await (const chunk of createReadStream(command.log)) reader.push(chunk as Buffer);
  reader.end();
  const addedBytes = await addToLog(logPath, command.log, `metric.command: ${metric.command ?? ''}`);
  const { end } = command;
  const isWell = end.kind === 'exit' && end.code === 0;
  const summary = isWell ? reader.summary() : null;
  const crash = isWell
    ? reader.classify({ kind: 'exit', code: 0 }, metric.name, metric.commandSeconds)
    : {
        class: 'no_metric' as const,
        message: `metric.command did not end well there (${end.kind}), so there is no ${metric.name}.`,
        tail: [],
      };
  const guard = crash
    ? null
    : findUnmet(metric.require, name => reader.printed(name) ?? training.printed(name));
  return { ...none, summary, units: Object.fromEntries(reader.units), crash, guard, addedBytes };
}
