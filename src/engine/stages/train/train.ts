import { isBetter } from '../../../shared/study.ts';
import type { FairnessFlag, FlagKind } from '../../../shared/verdicts/fairness.ts';
import type { Hint } from '../../../shared/verdicts/probes.ts';
import { whereLocked } from '../../contract/outputs.ts';
import type { Denial } from '../../model-in-training/answers.ts';
import { refAttempt } from '../attempt/attempt.ts';
import { namePaths } from '../edit/judge-edit.ts';
import { findEditHints } from '../judge/edit-hints.ts';
import { findScreening } from '../judge/screening.ts';
import { compareLines, type Measured, unfairKinds } from '../measure/measured.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from './ended-run.ts';
import { trainAttempt, withAnswers } from './train-attempt.ts';

/** The result of a training. The run's end is not stored yet: the caller stores it together with its consequences. */
export type TrainResult =
  | {
      readonly type: 'measured';
      readonly run: Measured;
      readonly ended: EndedRun;
      /** Why the model that the run asked did not answer; null if it did, or none was asked. */
      readonly denial: Denial | null;
    }
  /** Trained, but its number comes later. */
  | {
      readonly type: 'awaiting';
      readonly n: number;
      readonly unfair: readonly FlagKind[];
      readonly ended: EndedRun;
      readonly denial: Denial | null;
    }
  /** The run was stopped. */
  | { readonly type: 'aborted'; readonly n: number; readonly ended: EndedRun };

export type TrainInput = {
  readonly n: number;
  readonly commit: string;
  /** The run before, which must not decide because it was unfair. */
  readonly unfair: EndedRun | null;
  /** Whether the attempt is from an earlier sitting. */
  readonly isResumed: boolean;
  /** Future experiments, as far as known, whose proposals may be prepared meanwhile. */
  readonly ahead: readonly number[];
};

/** Trains an attempt once while the next proposal is prepared, and returns the result. */
export async function train(context: StageContext, input: TrainInput): Promise<TrainResult> {
  const { ledger, workbench, emit, study } = context;
  const { n, commit, unfair, isResumed, ahead } = input;
  if (isResumed) {
    // The engine may have died before it created the ref.
    await refAttempt(context, n, commit);
    const parent = ledger.experiments.get(study.id, n)?.parentCommit ?? commit;
    emit({ type: 'experiment_started', n, parent });
  }
  if (unfair) saveUnfair(context, n, unfair);
  await workbench.checkout(commit);
  await lookAhead(context, ahead);
  const once = () => trainAttempt(study, n, commit, context);
  const { value: ended, denial } = await withAnswers(context, n, once);
  rememberOutputs(context);
  const { result, metric, memory, early, guard, k } = ended;
  if (result.outcome.kind === 'aborted') return { type: 'aborted', n, ended };
  const flags = unfairKinds(result);
  const isLate = study.contract.metric.waitSeconds !== null;
  if (isLate && !result.crash && !early && !guard) {
    return { type: 'awaiting', n, unfair: flags, ended, denial };
  }
  const sourceLinesDelta = compareLines(ledger, study.id, workbench.sourceLines());
  const run = {
    ...{ n, k, crash: result.crash, value: metric, memory, sourceLinesDelta },
    parent: ledger.experiments.parentOf(study.id, n),
    ...{ unfair: flags, early, guard, source: null, hints: await hintsOf(context, n, commit, metric) },
    screening: flags.includes('other_hardware') ? findScreening(ledger, study, n, result) : null,
  };
  return { type: 'measured', run, ended, denial };
}

/** Has proposals for the experiments `ahead` made meanwhile; the worktree holds a checkout. */
export async function lookAhead(
  { ledger, source, workbench, study }: StageContext,
  ahead: readonly number[],
): Promise<void> {
  const incumbent = ledger.experiments.incumbent(study.id);
  if (incumbent) for (const n of ahead) await source.lookAhead(n, incumbent, workbench);
}

/** What the baseline writes is known before its end is, so that no attempt is ever judged without it. */
function rememberOutputs({ ledger, workbench, enter, study: { id, contract } }: StageContext): void {
  const written = workbench.written();
  const known = ledger.studies.get(id);
  const fresh = written.outputs.filter(path => !known?.outputs.includes(path));
  const isKnown = fresh.length === 0 && written.writtenFolders?.length === known?.writtenFolders?.length;
  if (isKnown) return;
  const message = `The baseline writes tracked files: ${namePaths(fresh)}. They count as outputs, which attempts may write and which are restored before each run. If the number is measured from one of them, list the locked files as ${whereLocked(contract.source)}.`;
  enter(() => {
    ledger.studies.setOutputs(id, written);
    return fresh.length === 0 ? [] : [{ type: 'warning', code: 'outputs', message }];
  });
}

/** Only for an attempt that might be kept. */
async function hintsOf(
  { ledger, repository, study: { id, contract } }: StageContext,
  n: number,
  commit: string,
  metric: number | null,
): Promise<readonly Hint[]> {
  const { experiments } = ledger;
  const incumbent = experiments.incumbent(id);
  const isGain = incumbent && metric !== null && isBetter(contract.metric.goal, metric, incumbent.metric);
  const { otherLine = null, parentCommit = null } = experiments.get(id, n) ?? {};
  // Keeping it brings all edits of its line to the branch.
  const parent = otherLine === null ? parentCommit : incumbent?.commit;
  return isGain && parent && n > 0 ? findEditHints(repository, parent, commit, contract) : [];
}

/** An unfair run is stored before the next one begins. */
function saveUnfair(context: StageContext, n: number, ended: EndedRun): void {
  endRun(context, ended, () => [{ type: 'run_unfair', n, k: ended.k, flags: unfairFlags(ended) }]);
}

/** Why a run does not decide. */
export function unfairFlags({
  result,
}: Pick<EndedRun, 'result'>): readonly Pick<FairnessFlag, 'kind' | 'detail'>[] {
  const flags = result.fairness.flags.filter(({ isUnfair }) => isUnfair);
  return flags.map(({ kind, detail }) => ({ kind, detail }));
}
