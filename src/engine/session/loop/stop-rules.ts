import type { Goal } from '../../../shared/contract/contract.ts';
import type { StopRules } from '../../../shared/contract/stop-rules.ts';
import { counted } from '../../../shared/numbers.ts';
import type { StopReason } from '../../../shared/study.ts';

/** The facts behind the stop rules; updated by `step` with every recorded experiment. */
export type Facts = {
  /** Recorded experiments, without the baseline. */
  readonly experiments: number;
  /** The incumbent's metric; null before the baseline. */
  readonly best: number | null;
  /** Experiments since the last keep. */
  readonly sinceKeep: number;
  readonly crashesInRow: number;
};

/** Stop rules with relative values made absolute. */
export type StopLimits = {
  readonly experiments?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined;
  readonly target?: number | undefined;
  readonly patience?: number | undefined;
  readonly crashes?: number | undefined;
};

/** The first rule that holds, with a sentence for the user, or null. Checked between experiments. */
export function findStop(
  limits: StopLimits,
  facts: Facts,
  goal: Goal,
  now: number,
): { readonly reason: StopReason; readonly detail: string } | null {
  const { experiments, deadline, target, patience, crashes } = limits;
  if (target !== undefined && facts.best !== null) {
    const isReached = goal === 'minimize' ? facts.best <= target : facts.best >= target;
    if (isReached) return { reason: 'target', detail: `${facts.best} has reached the target ${target}.` };
  }
  if (experiments !== undefined && facts.experiments >= experiments) {
    const count = facts.experiments;
    return {
      reason: 'experiments',
      detail: count === 1 ? 'One experiment is done.' : `${count} experiments are done.`,
    };
  }
  if (deadline !== undefined && now >= deadline) {
    return { reason: 'deadline', detail: `The deadline ${new Date(deadline).toISOString()} has passed.` };
  }
  if (crashes !== undefined && facts.crashesInRow >= crashes) {
    return {
      reason: 'crashes',
      detail:
        facts.crashesInRow === 1
          ? 'One experiment crashed.'
          : `${facts.crashesInRow} experiments in a row crashed.`,
    };
  }
  if (patience !== undefined && facts.sinceKeep >= patience) {
    return { reason: 'patience', detail: `No gain in ${counted(facts.sinceKeep, 'experiment')}.` };
  }
  return null;
}

/** Makes the values absolute that a sitting's rules give relative to its start. */
export function stopLimits(stop: StopRules, now: number): StopLimits {
  const deadlines = [
    ...(stop.deadline === undefined ? [] : [Date.parse(stop.deadline)]),
    ...(stop.hours === undefined ? [] : [now + stop.hours * 3_600_000]),
  ];
  return {
    experiments: stop.experiments,
    deadline: deadlines.length > 0 ? Math.min(...deadlines) : undefined,
    target: stop.target,
    patience: stop.patience,
    crashes: stop.crashes,
  };
}
