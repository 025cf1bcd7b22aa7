import type { EngineEventBody } from '../../../shared/events.ts';
import { isOfRecord, type RepeatPurpose, type RolledBack, type Verdict } from '../../../shared/study.ts';
import { type ProbeEvidence, SWAP_FAULT_WORDS, type SwapFault } from '../../../shared/verdicts/probes.ts';
import { writeResultsFile } from '../../export/results-file.ts';
import { branchParent, rollBack } from '../record/branch.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';

export type RepeatRecorded = {
  readonly type: 'repeat_recorded';
  readonly n: number;
  readonly purpose: RepeatPurpose;
  readonly value: number | null;
};

/** The result of a further run, and what follows from it. */
export type RepeatResult = {
  readonly n: number;
  readonly purpose: RepeatPurpose;
  /** Null if the number does not count. */
  readonly value: number | null;
  readonly ended: EndedRun;
  readonly rolledBack: RolledBack | null;
  /** What a probe showed for a keep; null if it showed nothing, or was no probe. */
  readonly passed: ProbeEvidence | null;
  /** Why the baseline's probe shows that nothing can be probed. */
  readonly swapFault: SwapFault | null;
  /** The model that it asked did not answer, so the run does not count at all. */
  readonly isDenied: boolean;
};

/**
 * Stores the run's end and number in one transaction, with the new verdict if a keep is taken back; then moves the
 * branch.
 */
export async function recordRepeat(
  context: StageContext,
  { n, purpose, value, ended, rolledBack, isDenied, passed, swapFault }: RepeatResult,
): Promise<RepeatRecorded> {
  const { ledger, study, paths } = context;
  const { id } = study;
  const before = ledger.experiments.get(id, n);
  const commit = before?.branchCommit;
  const parentCommit = before && branchParent(ledger, study, before);
  const isMoving = rolledBack && commit && parentCommit;
  const announce = endRun(context, ended, ({ runs, experiments }, hold) => {
    if (isDenied) runs.interrupt(ended.run, ended.endedAt);
    if (value !== null) runs.setValue(ended.run, value);
    if (passed && before?.verdict?.word === 'keep')
      experiments.setEvidence(id, n, { ...before.verdict.evidence, probe: passed });
    if (rolledBack && before?.verdict) {
      const evidence = { ...before.verdict.evidence, rolledBack };
      const verdict: Verdict = { word: 'discard', reason: 'rolled_back', evidence };
      experiments.decide(id, n, verdict, before.endedAt ?? ended.endedAt, { wasKept: true });
    }
    const repeated = { type: 'repeated', n, k: ended.k, purpose, value } as const;
    if (!isOfRecord(purpose)) {
      const warning = swapFault && SWAP_FAULT_WORDS[swapFault];
      const told: readonly EngineEventBody[] = [{ ...repeated, record: null, runs: null }];
      return warning ? [...told, { type: 'warning', code: 'probe', message: warning }] : told;
    }
    const record = experiments.get(id, n)?.record;
    if (!record) throw new Error(`experiment ${n} has no record`);
    const { mean, runs: count } = record;
    if (isMoving) {
      const { parentExperiment: parent, parentRecord } = rolledBack;
      const moved = { commit, parent, parentCommit, parentRecord };
      hold({ type: 'rolled_back', n, ...moved, record: mean, runs: count });
    }
    return [{ ...repeated, record: mean, runs: count }];
  });
  if (isMoving) {
    await rollBack(context, { n, from: commit, to: parentCommit });
    await writeResultsFile(ledger, paths, study);
  }
  announce();
  return { type: 'repeat_recorded', n, purpose, value };
}
