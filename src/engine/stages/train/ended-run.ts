import type { EngineEventBody } from '../../../shared/events.ts';
import type { RunOutcome, ShownOutcome } from '../../../shared/study.ts';
import type { EarlyEnd } from '../../../shared/verdicts/early-end.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import type { RunResult } from '../../store/runs.ts';

/** A run that has ended. Its end is not in the ledger yet: it is stored together with its consequences. */
export type EndedRun = {
  readonly n: number;
  readonly commit: string;
  /** The run's row in the ledger; its end is not stored yet. */
  readonly run: number;
  readonly k: number;
  readonly result: RunResult;
  readonly metric: number | null;
  readonly memory: number | null;
  /** Why it was ended early; null if it was not. */
  readonly early: EarlyEnd | null;
  /** The condition or check of the contract that failed; null if all passed. */
  readonly guard: GuardFailure | null;
  /** Both in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Sent once the run's end is stored. */
  readonly finished: EngineEventBody;
};

/** Whether it ran to its end and reported no fault. */
export function endedWell(outcome: ShownOutcome | null): boolean {
  return outcome?.kind === 'exit' && outcome.code === 0;
}

export function describeOutcome(outcome: RunOutcome): string {
  if (outcome.kind === 'exit') return `exit ${outcome.code}`;
  return outcome.kind === 'signal' ? `signal ${outcome.signal}` : outcome.kind;
}
