import { type Crash, lastTrial, type Run, type Study } from '../../../shared/study.ts';
import type { EarlyEnd } from '../../../shared/verdicts/early-end.ts';
import type { FlagKind, Screening } from '../../../shared/verdicts/fairness.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import type { Hint } from '../../../shared/verdicts/probes.ts';
import { measure } from '../../metrics/measure.ts';
import type { Ledger } from '../../store/ledger.ts';
import { endedWell } from '../train/ended-run.ts';

/** The result of a run: everything that a verdict needs. */
export type Measured = {
  readonly n: number;
  readonly k: number;
  /** The experiment whose commit the attempt was made on; null for the baseline. */
  readonly parent: number | null;
  readonly crash: Crash | null;
  readonly value: number | null;
  readonly memory: number | null;
  /** Lines of the editable files, compared with the incumbent's; 0 for the baseline. */
  readonly sourceLinesDelta: number;
  /** Why the number was not measured fairly; empty if it was. */
  readonly unfair: readonly FlagKind[];
  /** Absent if it trained on the baseline's hardware, or there is nothing to compare it with. */
  readonly screening?: Screening | null;
  /** Why the run was ended early; null if it was not. */
  readonly early: EarlyEnd | null;
  /** The condition or check of the contract that failed. */
  readonly guard: GuardFailure | null;
  /** The source of the number, if no program of the run printed it. */
  readonly source: string | null;
  /** Reasons in its edit to look closer; empty if its number is no gain, because then it does not matter. */
  readonly hints: readonly Hint[];
};

/** A run that may be repaired. */
export type CrashedRun = Measured & { readonly crash: Crash };

/**
 * Reads an experiment's latest crashed run back from the ledger, where its end is stored; null if the latest run did
 * not crash.
 */
export function findCrashedRun(ledger: Ledger, { id, contract }: Study, n: number): CrashedRun | null {
  const run = ledger.runs.list(id, n).at(-1);
  if (!run?.crash) return null;
  return {
    ...{ n, k: run.k, crash: run.crash, value: null, early: null, guard: null, source: null, hints: [] },
    parent: ledger.experiments.parentOf(id, n),
    memory: measure(run.summary, contract.metric).memory,
    sourceLinesDelta: compareLines(ledger, id, ledger.experiments.sourceLines(id, n)),
    unfair: unfairKinds(run),
  };
}

/**
 * The measured run of an unfinished experiment whose verdict waited for probes when the engine died: probes began
 * after it. Null if there is none.
 */
export function findHeldRun(ledger: Ledger, { id, contract }: Study, n: number): Measured | null {
  const run = lastTrial(ledger.runs.list(id, n));
  const commit = ledger.experiments.get(id, n)?.attemptCommit;
  // An unfair run was to be repeated.
  if (
    !run ||
    !endedWell(run.outcome) ||
    run.crash ||
    unfairKinds(run).length > 0 ||
    run.commit !== commit ||
    !ledger.runs.wasProbedAfter(id, run)
  )
    return null;
  const { metric, memory } = measure(run.summary, contract.metric);
  if (metric === null) return null;
  return {
    ...{ n, k: run.k, crash: null, value: metric, memory, early: null, guard: null, source: null },
    parent: ledger.experiments.parentOf(id, n),
    hints: ledger.experiments.heldHints(id, n),
    sourceLinesDelta: compareLines(ledger, id, ledger.experiments.sourceLines(id, n)),
    unfair: [],
  };
}

/** @param lines of the attempt; null if unknown */
export function compareLines(ledger: Ledger, studyId: string, lines: number | null): number {
  const before = ledger.experiments.incumbent(studyId)?.sourceLines ?? lines;
  return lines === null || before === null ? 0 : lines - before;
}

export function unfairKinds({ fairness }: Pick<Run, 'fairness'>): readonly FlagKind[] {
  return fairness?.flags.flatMap(({ isUnfair, kind }) => (isUnfair ? [kind] : [])) ?? [];
}
