import { PawlError } from '../../../shared/errors.ts';
import type { Proposal } from '../../../shared/study.ts';
import { attemptRef, createRef } from '../../git/refs.ts';
import { isHeld } from '../judge/edit-hints.ts';
import type { CrashedRun } from '../measure/measured.ts';
import { commitMessage } from '../propose/proposal-text.ts';
import type { AcceptedEdit, NotProposed } from '../propose/propose.ts';
import { refuse } from '../propose/refuse.ts';
import type { StageContext } from '../stage-context.ts';

export type Attempted = { readonly type: 'attempted'; readonly n: number; readonly commit: string };

/** In approve mode it waits for the user. `repair` is the crashed run that it repairs, or null. */
export type Submitted = {
  readonly type: 'submitted';
  readonly n: number;
  readonly repair: CrashedRun | null;
};

/** A commit to become the attempt, with what the ledger stores about it. */
export type MadeAttempt = {
  readonly commit: string;
  readonly editDigest: string;
  readonly sourceLines: number;
};

/** Experiment 0: the unchanged code. */
export async function takeBaseline(context: StageContext): Promise<Attempted> {
  const { ledger, workbench, now, emit, study } = context;
  const { id, baseCommit: commit } = study;
  ledger.write(() => {
    ledger.experiments.begin(id, 0, { commit }, now());
    ledger.experiments.propose(id, 0, {
      hypothesis: 'Baseline: the code as it is',
      rationale: null,
      predictedEffect: null,
      category: 'baseline',
      memo: null,
    });
  });
  emit({ type: 'experiment_started', n: 0, parent: commit });
  await workbench.checkout(commit);
  const made = { commit, editDigest: workbench.digest(), sourceLines: workbench.sourceLines() };
  return acceptAttempt(context, { n: 0, proposal: null, made, files: [] });
}

/**
 * Commits the edit on the commit that was the incumbent when the proposer was asked. In approve mode, the proposal
 * then waits for the user.
 */
export async function makeAttempt(
  context: StageContext,
  n: number,
  edit: AcceptedEdit,
): Promise<Attempted | Submitted | NotProposed> {
  const { ledger, workbench, study, identity } = context;
  const { id, tag } = study;
  const { proposal, repairOf, start } = edit;
  const parent = ledger.experiments.get(id, n)?.parentCommit;
  if (!parent) throw new Error(`experiment ${n} was not begun`);
  const commit = await workbench.commit(edit, parent, commitMessage(tag, n, proposal), identity);
  if (commit === null) {
    const message = 'The edit changes nothing that git would store.';
    const { hypothesis, memo } = proposal;
    refuse(context, { n, reason: 'no_change', message, hypothesis, memo });
    return repairOf ? { type: 'repair_failed', run: repairOf } : { type: 'refused', message };
  }
  const made = { commit, editDigest: edit.digest, sourceLines: edit.sourceLines };
  if (ledger.studies.get(id)?.asksApproval || (await isHeld(context, parent, commit))) {
    const review = { n, proposal, start, parent, isRepair: repairOf !== null, ...made };
    ledger.write(() => context.desk.open(review));
    return { type: 'submitted', n, repair: repairOf };
  }
  return acceptAttempt(context, { n, proposal: repairOf && proposal, made, files: edit.paths });
}

/** Stores the attempt in the ledger, then creates its ref. */
export async function acceptAttempt(
  context: StageContext,
  attempt: {
    readonly n: number;
    /** Set if it replaces the experiment's present proposal. */
    readonly proposal: Proposal | null;
    readonly made: MadeAttempt;
    readonly files: readonly string[];
    /** For an attempt that the user approved. */
    readonly saveReview?: () => void;
  },
): Promise<Attempted> {
  const { ledger, emit, study } = context;
  const { n, proposal, made, files, saveReview } = attempt;
  ledger.write(() => {
    saveReview?.();
    if (proposal) ledger.experiments.propose(study.id, n, proposal);
    ledger.experiments.attempt(study.id, n, made);
  });
  if (saveReview) emit({ type: 'review_closed', n, outcome: 'approved' });
  await refAttempt(context, n, made.commit);
  emit({ type: 'attempted', n, commit: made.commit, files: [...files] });
  return { type: 'attempted', n, commit: made.commit };
}

/**
 * The first attempt is `<n>`, the first repair's is `<n>.1`. Does nothing if the ref exists. Rejects with
 * `branch_moved` if it points elsewhere.
 */
export async function refAttempt(
  { ledger, repository, study }: Pick<StageContext, 'ledger' | 'repository' | 'study'>,
  n: number,
  commit: string,
): Promise<void> {
  const trained = [...new Set(ledger.runs.list(study.id, n).map(run => run.commit))];
  const place = trained.indexOf(commit);
  const ref = attemptRef(study.tag, n, place < 0 ? trained.length : place);
  if (await createRef(repository, ref, commit)) return;
  throw new PawlError('branch_moved', `${ref} already points at another commit; something else wrote it.`);
}
