import { resolve } from 'node:path';
import { checkMetric as checkInEngine } from '../engine/metric-check/check-metric.ts';
import { type CheckLine, describeMetricCheck } from '../shared/verdicts/describe-metric-check.ts';
import {
  METRIC_CHECK_HOURS,
  METRIC_CHECK_RUNS,
  type MetricCheckOutcome,
  type MetricCheckProgress,
  progressWords,
} from '../shared/verdicts/metric-check.ts';
import { EXIT } from './exit-codes.ts';
import { clip } from './format.ts';
import { type ContractFlags, choicesOf } from './found.ts';
import { lookFirst } from './look-first.ts';
import { onStopSignals } from './stop-signals.ts';
import { withEngine } from './with-engine.ts';

export type MetricFlags = {
  readonly runs?: number;
  readonly hours?: number;
  /** False leaves out the run with a broken constant. */
  readonly break?: boolean;
  readonly gpu?: string;
  readonly trustSetup?: boolean;
};

/** For a failed run, whose message may quote its output. */
const LINE_COLUMNS = 600;

/** Trains a repository's code as `MetricFlags` says; progress goes to stderr. Ctrl-C ends it. */
export async function checkMetric(
  path: string,
  flags: ContractFlags & MetricFlags,
): Promise<{
  readonly outcome: MetricCheckOutcome;
  readonly lines: readonly CheckLine[];
  readonly exitCode: number;
}> {
  const stop = new AbortController();
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const abort = () => stop.abort(new DOMException('stopped by the user', 'AbortError'));
  const signals = onStopSignals({ stopAfter: abort, stopNow: abort });
  let outcome: MetricCheckOutcome = { kind: 'stopped' };
  try {
    await withEngine(resolve(path), async (engine, options) => {
      const look = await lookFirst(engine.ledger, path, choicesOf(flags), flags.trustSetup === true, say);
      if (stop.signal.aborted) return;
      outcome = await checkInEngine(
        {
          repositoryPath: path,
          runs: flags.runs ?? METRIC_CHECK_RUNS.usual,
          hours: flags.hours ?? METRIC_CHECK_HOURS,
          breaks: flags.break !== false,
          ...{ gpu: flags.gpu, ...look },
        },
        {
          ...{ options, ledger: engine.ledger, signal: stop.signal },
          onProgress: (progress: MetricCheckProgress) => say(progressWords(progress)),
        },
      );
    });
  } finally {
    signals.dispose();
  }
  return { outcome, ...told(outcome) };
}

function told(outcome: MetricCheckOutcome): {
  readonly lines: readonly CheckLine[];
  readonly exitCode: number;
} {
  if (outcome.kind === 'measured') return { lines: describeMetricCheck(outcome.check), exitCode: EXIT.done };
  if (outcome.kind === 'stopped') return { lines: [], exitCode: EXIT.interrupted };
  const lines = [`The unchanged code gave no valid number. ${outcome.message}`, ...outcome.tail];
  return {
    lines: lines.map(line => ({ isWarning: true, text: clip(line, LINE_COLUMNS) })),
    exitCode: EXIT.baselineFailed,
  };
}
