import { PawlError } from '../../../shared/errors.ts';
import { formatSeconds } from '../../../shared/numbers.ts';
import type { Crash, Run, Study } from '../../../shared/study.ts';
import { lastTrial } from '../../../shared/study.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import { runLog } from '../../paths.ts';
import { limitsFor } from '../../process/limits.ts';
import { runMarker } from '../../process/markers.ts';
import type { Ledger } from '../../store/ledger.ts';
import { endedWell } from '../train/ended-run.ts';
import { lockCrash } from '../train/explain-crash.ts';
import { surroundingsOf } from '../train/surroundings.ts';
import { withAnswers } from '../train/train-attempt.ts';
import type { TrainPorts } from '../train/train-ports.ts';
import { askMetricCommand } from './measure-attempt.ts';

/** How often to look, because another process may have stored a number. */
const LOOK_MS = 1_000;

/** The run that waits for its number, from `metric.command` or typed in; null if none waits. */
export function findAwaited(ledger: Ledger, { id, contract }: Study, n: number): Run | null {
  if (contract.metric.waitSeconds === null) return null;
  const experiment = ledger.experiments.get(id, n);
  const run = ledger.runs.list(id, n).at(-1);
  const isWaiting = experiment?.phase === 'measuring' && experiment.verdict === null;
  // An interrupted run has not been checked.
  const isDone = run !== undefined && endedWell(run.outcome) && run.crash === null;
  return isWaiting && isDone && run.commit === experiment.attemptCommit ? run : null;
}

/** When to stop waiting for the number, in milliseconds since the epoch. */
export function awaitedUntil({ contract }: Study, run: Run): number {
  return (run.endedAt ?? run.startedAt) + 1000 * (contract.metric.waitSeconds ?? 0);
}

/**
 * Stores a number that the user typed in; the engine continues with it, now or in its next sitting. Throws `usage` if
 * none is awaited.
 */
export function enterNumber(
  ledger: Ledger,
  study: Study,
  n: number,
  number: { readonly value: number; readonly source: string },
  now: number,
): void {
  if (!findAwaited(ledger, study, n)) {
    throw new PawlError(
      'usage',
      `Experiment ${n} of ${study.tag} is not waiting for a number. Experiments wait after their training if metric.wait is set.`,
    );
  }
  if (!Number.isFinite(number.value)) throw new PawlError('usage', 'The number must be finite.');
  const source = number.source.trim();
  if (source === '') throw new PawlError('usage', 'Say where the number comes from.');
  ledger.write(() => ledger.lateNumbers.add(study.id, n, { value: number.value, source, at: now }));
}

/** A number with its source, or why there is none. */
type Came = {
  readonly value: number | null;
  readonly source: string | null;
  readonly crash: Crash | null;
  readonly guard: GuardFailure | null;
};

/**
 * Waits until the number is typed in, `metric.command` prints it, or its time is over; null if something else has to
 * be done first. A typed number goes before a command's.
 */
export async function awaitNumber(
  study: Study,
  run: Run,
  ports: TrainPorts,
  sitting: {
    readonly isDisturbed: () => boolean;
    /** Resolves after this many milliseconds, or earlier. */
    readonly rest: (ms: number) => Promise<unknown>;
  },
): Promise<Came | null> {
  const { ledger, now } = ports;
  const { name, command, pollSeconds, waitSeconds } = study.contract.metric;
  const until = awaitedUntil(study, run);
  let hasAsked = false;
  for (let nextPoll = now(); ; ) {
    const typed = ledger.lateNumbers.get(study.id, run.n);
    if (typed) return { value: typed.value, source: typed.source, crash: null, guard: null };
    if (sitting.isDisturbed()) return null;
    if (command !== null && now() >= nextPoll && !(hasAsked && now() >= until)) {
      hasAsked = true;
      const ask = () => askForNumber(study, run, ports);
      // A question that the model did not answer is asked again at the next look.
      const { value: found } = await withAnswers(ports, run.n, ask);
      nextPoll = now() + 1000 * pollSeconds;
      if (found === null) continue;
      const crash = lockCrash(await ports.workbench.findTouchedLocks(), study.contract);
      const source = `metric.command at ${new Date(now()).toISOString()}`;
      return { ...found, value: crash ? null : found.value, source, crash };
    }
    if (now() >= until) {
      const message = `No ${name} came within ${formatSeconds(waitSeconds ?? 0)} after the training.`;
      return { value: null, source: null, crash: { class: 'no_metric', message, tail: [] }, guard: null };
    }
    await sitting.rest(Math.min(LOOK_MS, until - now()));
  }
}

/** Runs `metric.command` once where the run was trained; returns its number, or null if there is none yet. */
async function askForNumber(study: Study, run: Run, ports: TrainPorts): ReturnType<typeof askMetricCommand> {
  const { ledger, paths, workbench, signal, killTimes } = ports;
  const { n, k } = run;
  const units = lastTrial(ledger.runs.list(study.id, 0))?.units ?? {};
  workbench.markDirty();
  return askMetricCommand(study.contract, units, {
    ...{ cwd: workbench.path, signal, logPath: runLog(paths, study.id, n, k) },
    ...(await surroundingsOf(study, ports, runMarker(study.id, n, k))),
    limits: limitsFor(study.contract.limits, paths.home),
    ...(killTimes ? { killTimes } : {}),
  });
}
