import { PawlError } from '../../../shared/errors.ts';
import type { EngineEventBody } from '../../../shared/events.ts';
import type { Proposal, Study } from '../../../shared/study.ts';
import { attemptRef, createRef } from '../../git/refs.ts';
import type { Repository } from '../../git/repository.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import type { LoopEvent, Measured, Wish } from '../../session/step.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Refusal } from '../../store/refusals.ts';
import type { Edit, Workbench } from '../edit/workbench.ts';
import { commitMessage } from '../propose/proposal-text.ts';
import type { ReviewDesk } from '../review/review-desk.ts';

/** Node takes a longer wait for none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** An edit that was found good, with what was said of it. */
export type AcceptedEdit = Extract<Edit, { kind: 'edit' }> & {
  readonly proposal: Proposal;
  /** The commit the proposer started from. */
  readonly start: string;
  /** The crashed run it is to mend; null for an experiment's first attempt. */
  readonly repairOf: Measured | null;
};

type Ports = {
  readonly ledger: Ledger;
  readonly repository: Repository;
  readonly workbench: Workbench;
  readonly emit: (event: EngineEventBody) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
};

/** What a wait for the user needs to know of the sitting it is in. */
export type Sitting = {
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  readonly wish: () => Wish;
  readonly identity: Readonly<Record<string, string>>;
};

/** From an edit that was found good to the attempt that is trained: the commit, the user's review, the ref. */
export class Attempts {
  readonly #study: Study;
  readonly #ports: Ports;
  readonly #desk: ReviewDesk;

  constructor(study: Study, ports: Ports, desk: ReviewDesk) {
    this.#study = study;
    this.#ports = ports;
    this.#desk = desk;
  }

  /** Commits the edit on the incumbent; what needs the user's word then waits for it. */
  async make(
    n: number,
    edit: AcceptedEdit,
    parent: string,
    identity: Readonly<Record<string, string>>,
  ): Promise<LoopEvent> {
    const { ledger, workbench } = this.#ports;
    const { id, tag } = this.#study;
    const { proposal, repairOf } = edit;
    const words = commitMessage(tag, n, proposal);
    const commit = await workbench.commit(edit, parent, words, identity);
    if (commit === null) {
      const message = 'The edit changes nothing that git would store.';
      const { hypothesis, memo } = proposal;
      this.refuse({ n, reason: 'no_change', message, hypothesis, memo });
      return repairOf ? { ...repairOf, type: 'repair_failed' } : { type: 'refused', message };
    }
    const made = { commit, editDigest: edit.digest, sourceLines: edit.sourceLines };
    if (ledger.studies.get(id)?.asksApproval) {
      const { start } = edit;
      const isRepair = repairOf !== null;
      ledger.write(() => this.#desk.open({ n, proposal, start, parent, isRepair, ...made }));
      return { type: 'submitted', n, repair: repairOf };
    }
    return this.#accept(n, repairOf ? proposal : null, made, edit.paths);
  }

  /** @param proposal where it takes the place of the one the experiment has */
  async #accept(
    n: number,
    proposal: Proposal | null,
    made: Parameters<Ledger['experiments']['attempt']>[2],
    files: readonly string[],
    saveReview: (() => void) | null = null,
  ): Promise<LoopEvent> {
    const { ledger, emit } = this.#ports;
    const { id } = this.#study;
    ledger.write(() => {
      saveReview?.();
      if (proposal) ledger.experiments.propose(id, n, proposal);
      ledger.experiments.attempt(id, n, made);
    });
    if (saveReview) emit({ type: 'review_closed', n, outcome: 'approved' });
    await this.createRef(n, made.commit);
    emit({ type: 'attempted', n, commit: made.commit, files: [...files] });
    return { type: 'attempted', n };
  }

  /** Waits for the user's word on a proposal; a wish, the deadline or the end of approve mode end the wait as well. */
  async review(n: number, repair: Measured | null, sitting: Sitting): Promise<LoopEvent> {
    const { ledger, now, emit, signal } = this.#ports;
    const { id } = this.#study;
    const { deadline = Number.POSITIVE_INFINITY, identity } = sitting;
    const waiting = await this.#desk.take(n);
    ledger.write(() => ledger.experiments.setPhase(id, n, 'reviewing'));
    let late: NodeJS.Timeout | undefined;
    // A timer may fire a little early, and none is as long as some deadlines.
    const watch = () => {
      const left = Math.min(Math.max(deadline - now(), 1), LONGEST_TIMER_MS);
      late = setTimeout(() => {
        watch();
        this.#desk.wake();
      }, left);
    };
    watch();
    const isDisturbed = () => sitting.wish() !== 'go' || signal.aborted || now() >= deadline;
    const end = this.#desk.wait(waiting, isDisturbed, identity);
    emit({ type: 'review_opened', n, hypothesis: waiting.proposal.hypothesis });
    const reviewed = await end.finally(() => clearTimeout(late));
    if (reviewed.kind === 'disturbed') {
      signal.throwIfAborted();
      return { type: 'wished', wish: sitting.wish() };
    }
    const { review, kind, save, done } = reviewed;
    try {
      if (kind === 'approved') {
        const { commit, editDigest, sourceLines, proposal } = review;
        const accepted = await this.#accept(
          n,
          proposal,
          { commit, editDigest, sourceLines },
          reviewed.files,
          save,
        );
        done();
        return accepted;
      }
      const { memo, hypothesis } = review.proposal;
      this.refuse({ n, reason: kind, message: stripControl(reviewed.message), hypothesis, memo }, save);
      done();
      return { type: 'turned_down', how: kind, n, repair };
    } catch (error) {
      done(error);
      throw error;
    }
  }

  /**
   * Writes down that a proposal was refused, and says so.
   * @param saveReview where it was the user who turned it down
   */
  refuse(refusal: Omit<Refusal, 'at'>, saveReview: (() => void) | null = null): void {
    const { ledger, emit, now } = this.#ports;
    const { id } = this.#study;
    const { n, reason, message, hypothesis } = refusal;
    ledger.write(() => {
      saveReview?.();
      ledger.refusals.add(id, { ...refusal, at: now() });
      ledger.experiments.setPhase(id, n, 'proposing');
    });
    if (saveReview)
      emit({ type: 'review_closed', n, outcome: reason === 'sent_back' ? 'sent_back' : 'rejected' });
    emit({ type: 'refused', n, reason, message, hypothesis });
  }

  /**
   * The first attempt is `<n>`, the one of the first repair `<n>.1`. Does nothing for a ref that is there. Rejects with
   * `branch_moved` where it points elsewhere.
   */
  async createRef(n: number, commit: string): Promise<void> {
    const { ledger, repository } = this.#ports;
    const { id, tag } = this.#study;
    const trained = [...new Set(ledger.runs.list(id, n).map(run => run.commit))];
    const place = trained.indexOf(commit);
    const ref = attemptRef(tag, n, place < 0 ? trained.length : place);
    if (await createRef(repository, ref, commit)) return;
    throw new PawlError('branch_moved', `${ref} already points at another commit; somebody else wrote it.`);
  }
}
