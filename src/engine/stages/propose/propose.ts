import { existsSync } from 'node:fs';
import { isByHand } from '../../../shared/proposers/ideas.ts';
import type { Proposal } from '../../../shared/study.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import type { AcceptableEdit } from '../edit/judge-edit.ts';
import type { CrashedRun } from '../measure/measured.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';
import type { Begun } from './proposal-source.ts';
import { cleanProposal } from './proposal-text.ts';
import { refuse } from './refuse.ts';

/** An accepted edit with its proposal. */
export type AcceptedEdit = AcceptableEdit & {
  readonly proposal: Proposal;
  /** The commit the proposer started from. */
  readonly start: string;
  /** The crashed run to repair; null for an experiment's first attempt. */
  readonly repairOf: CrashedRun | null;
};

/** The user did not allow a proposal to run. */
export type TurnedDown = {
  readonly type: 'turned_down';
  readonly how: 'sent_back' | 'rejected';
  readonly n: number;
  readonly repair: CrashedRun | null;
};

/**
 * The result if there is no proposal: after `refused` the proposer is asked again; `repair_failed` leaves the crash
 * as it is.
 */
export type NotProposed =
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'repair_failed'; readonly run: CrashedRun };

export type Proposed =
  | { readonly type: 'proposed'; readonly n: number; readonly edit: AcceptedEdit }
  | NotProposed
  | TurnedDown
  | { readonly type: 'exhausted'; readonly message: string }
  /** Only the user can help: the study pauses until they continue, or until the proposer is asked again. */
  | { readonly type: 'blocked'; readonly message: string }
  | { readonly type: 'spent'; readonly message: string };

/** A crashed attempt that is to be repaired. */
export type Repair = {
  readonly run: CrashedRun;
  /** The run's end, which is not stored yet; null if it is. */
  readonly ended: EndedRun | null;
  /** How many repairs this experiment has had, including this one. */
  readonly count: number;
};

/**
 * Asks for a proposal and judges its edit: it may change only editable plain files, and must not have been tried
 * before.
 */
export async function propose(
  context: StageContext,
  n: number,
  repair: Repair | null,
  hasWish: () => boolean,
): Promise<Proposed> {
  const { workbench, source, ledger, study, signal } = context;
  try {
    let begun = await layOut(context, n, repair);
    return await source.inTurn(n, async () => {
      // Another lane may have found a better one while this one waited for its turn.
      const isOld = begun.incumbent.commit !== ledger.experiments.incumbent(study.id)?.commit;
      if (isOld && !repair) begun = await layOut(context, n, repair);
      return ask(context, n, repair, begun, hasWish);
    });
  } catch (error) {
    // Without the repository there is no other worktree.
    if (signal.aborted || workbench.isThere() || !existsSync(study.gitDir)) throw error;
    const message = 'Somebody deleted the worktree.';
    refuse(context, { n, reason: 'proposer_failed', message, hypothesis: null, memo: null });
    return repair ? { type: 'repair_failed', run: repair.run } : { type: 'refused', message };
  }
}

/** Begins the experiment and lays out the worktree for the proposer. */
async function layOut(context: StageContext, n: number, repair: Repair | null): Promise<Begun> {
  const begun = begin(context, n, repair);
  await resetTo(context, begun.start.commit);
  return begun;
}

async function resetTo({ workbench }: StageContext, commit: string): Promise<void> {
  await workbench.checkout(commit);
  workbench.markDirty();
}

async function ask(
  context: StageContext,
  n: number,
  repair: Repair | null,
  { start, incumbent }: Begun,
  hasWish: () => boolean,
): Promise<Proposed> {
  const { study, ledger, workbench, emit } = context;
  const reset = () => resetTo(context, start.commit);
  const { proposal: crashed } = ledger.experiments.get(study.id, n) ?? {};
  const handedBack = repair && {
    ...{ crash: repair.run.crash, count: repair.count, hypothesis: crashed?.hypothesis ?? '' },
  };
  const answer = await context.source.ask(n, { incumbent, start }, handedBack, workbench, reset);
  // If the user wants a pause or stop, that is the reason, whatever the proposer says.
  if (answer.kind === 'blocked' && !hasWish()) {
    const message = `The proposer needs you. ${answer.message}`;
    emit({ type: 'warning', code: 'proposer_blocked', message });
  }
  if (answer.kind === 'exhausted' || answer.kind === 'blocked' || answer.kind === 'spent') {
    return repair
      ? { type: 'repair_failed', run: repair.run }
      : { type: answer.kind, message: answer.message };
  }
  const fault = (reason: string, said: string, refused: Proposal | null, memo: unknown): Proposed => {
    const message = stripControl(said);
    refuse(context, { n, reason, message, hypothesis: refused?.hypothesis ?? null, memo });
    if (repair) return { type: 'repair_failed', run: repair.run };
    // An idea from the queue says nothing about the proposer.
    const isFromQueue = refused !== null && isByHand(ledger.proposerCalls.author(study.id, n));
    return isFromQueue
      ? { type: 'turned_down', how: 'rejected', n, repair: null }
      : { type: 'refused', message };
  };
  if (answer.kind === 'failed') return fault('proposer_failed', answer.message, null, answer.memo);
  const proposal = cleanProposal(answer.proposal);
  const turnDown = (reason: string, said: string) => fault(reason, said, proposal, proposal.memo);
  const edit = await workbench.readEdit();
  if (edit.kind === 'refused') return turnDown(edit.reason, edit.message);
  const same = ledger.experiments.findSameEdit(study.id, edit.digest, n);
  if (same !== null) return turnDown('duplicate', `The same files were already tried in experiment ${same}.`);
  // The repaired hypothesis belongs to the repaired attempt; until that exists, the ledger keeps the crashed
  // attempt's hypothesis.
  if (!repair) ledger.write(() => ledger.experiments.propose(study.id, n, proposal));
  const { hypothesis, rationale, predictedEffect, category } = proposal;
  emit({ type: 'proposed', n, hypothesis, rationale, predictedEffect, category });
  return {
    type: 'proposed',
    n,
    edit: { ...edit, proposal, start: start.commit, repairOf: repair?.run ?? null },
  };
}

/** Records that a proposal is requested. Returns what the proposer finds checked out, and the incumbent. */
function begin(context: StageContext, n: number, repair: Repair | null): Begun {
  const { ledger, now, emit, study } = context;
  const { id } = study;
  const incumbent = ledger.experiments.incumbent(id);
  if (!incumbent) throw new Error('there is no incumbent before the baseline');
  if (!repair) {
    const start = context.source.startOf(n, incumbent);
    const { commit } = start;
    const otherLine = start.n === incumbent.n ? null : start.n;
    ledger.write(() => ledger.experiments.begin(id, n, { commit, otherLine }, now()));
    emit({ type: 'experiment_started', n, parent: commit });
    return { start, incumbent };
  }
  // The crashed run is over, whatever the repair brings.
  endRun(context, repair.ended, () => {
    ledger.experiments.setPhase(id, n, 'proposing');
    return [{ type: 'phase', n, phase: 'proposing' }];
  });
  const crashed = ledger.experiments.get(id, n)?.attemptCommit;
  return { start: { ...incumbent, commit: crashed ?? incumbent.commit }, incumbent };
}
