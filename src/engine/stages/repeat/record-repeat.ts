import type { RepeatPurpose, RolledBack, Verdict } from '../../../shared/study.ts';
import { writeResultsFile } from '../../export/results-file.ts';
import { rollBack } from '../record/branch.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/train-attempt.ts';

export type RepeatRecorded = {
  readonly type: 'repeat_recorded';
  readonly n: number;
  readonly purpose: RepeatPurpose;
  readonly value: number | null;
};

const NO_DIFFERENCE =
  'The baseline gives the same number with the data of audit.swap exchanged: the number does not come from those files. So Pawl cannot tell whether a number comes from the data, and no keep is audited. Name the validation data in audit.swap.';
const NO_PROBE =
  'The baseline gives no number with the data of audit.swap exchanged, so no keep is audited. The log of that run tells why.';

/**
 * Writes the run's end and its number down, with the new verdict of a keep that is taken back in the same transaction; then the
 * branch moves.
 * @param value null where the number does not count
 */
export async function recordRepeat(
  context: StageContext,
  {
    n,
    purpose,
    value,
    ended,
    rolledBack,
    isDenied,
  }: {
    readonly n: number;
    readonly purpose: RepeatPurpose;
    readonly value: number | null;
    readonly ended: EndedRun;
    readonly rolledBack: RolledBack | null;
    /** It is as if it had not run. */
    readonly isDenied: boolean;
  },
): Promise<RepeatRecorded> {
  const { ledger, repository, study, paths, emit, workbench } = context;
  const { id } = study;
  const before = ledger.experiments.get(id, n);
  endRun(context, ended, ({ runs, experiments }) => {
    if (isDenied) runs.interrupt(ended.run, ended.endedAt);
    if (value !== null) runs.setValue(ended.run, value);
    if (rolledBack && before?.verdict) {
      const evidence = { ...before.verdict.evidence, rolledBack };
      const verdict: Verdict = { word: 'discard', reason: 'rolled_back', evidence };
      experiments.decide(id, n, verdict, before.endedAt ?? ended.endedAt, true);
    }
  });
  if (purpose === 'probe') {
    emit({ type: 'repeated', n, k: ended.k, purpose, value, record: null, runs: null });
    if (n === 0 && (value === null || value === before?.metric))
      emit({ type: 'warning', code: 'probe', message: value === null ? NO_PROBE : NO_DIFFERENCE });
    return { type: 'repeat_recorded', n, purpose, value };
  }
  const record = ledger.experiments.get(id, n)?.record;
  if (!before || !record) throw new Error(`experiment ${n} has no record`);
  emit({ type: 'repeated', n, k: ended.k, purpose, value, record: record.mean, runs: record.runs });
  const { attemptCommit, parentCommit } = before;
  if (rolledBack && attemptCommit && parentCommit) {
    await rollBack(ledger, repository, study, n, attemptCommit, parentCommit, workbench.path);
    await writeResultsFile(ledger, paths, study);
    const { parentExperiment: parent, parentRecord } = rolledBack;
    emit({
      ...{ type: 'rolled_back', n, commit: attemptCommit, parent, parentCommit, parentRecord },
      ...{ record: record.mean, runs: record.runs },
    });
  }
  return { type: 'repeat_recorded', n, purpose, value };
}
