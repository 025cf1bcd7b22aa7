import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import {
  type Decision,
  describeRemarks,
  type ReviewComment,
  type ReviewOutcome,
} from '../../../shared/review.ts';
import type { Proposal, Study } from '../../../shared/study.ts';
import { listChangedFiles } from '../../git/diff.ts';
import { exportFiles } from '../../git/export-files.ts';
import { createRef, reviewRef } from '../../git/refs.ts';
import { listTree, type Repository, readBlob } from '../../git/repository.ts';
import { findTurns, turnConstants } from '../../proposers/search/turns.ts';
import { writeFiles } from '../../proposers/write-files.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Review } from '../../store/reviews.ts';
import type { Workbench } from '../edit/workbench.ts';
import { isHeld } from '../judge/edit-hints.ts';
import { cleanProposal, commitMessage } from '../propose/proposal-text.ts';

type Ports = {
  readonly ledger: Ledger;
  readonly repository: Repository;
  readonly workbench: Workbench;
  readonly now: () => number;
};

/** The outcome for a proposal that waited. */
export type Reviewed =
  | ({
      readonly kind: 'approved';
      /** The proposal as it will run. */
      readonly review: Review;
      readonly files: readonly string[];
    } & Decided)
  /** The reason for a rejection, or the remarks with which it goes back. */
  | ({ readonly kind: 'sent_back' | 'rejected'; readonly review: Review; readonly message: string } & Decided)
  /** Something else has to be done first; the proposal keeps waiting. */
  | { readonly kind: 'disturbed' };

type Decided = {
  /** Stores the decision. Call it inside the `ledger.write` that stores its consequences for the experiment. */
  readonly save: () => void;
  /** Reports to whoever decided that it is done, or why it could not be. */
  readonly done: (error?: unknown) => void;
};

type Handed = {
  readonly id: number;
  readonly decision: Decision;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/** Where a study's proposals wait for the user. They are stored in the ledger and in git, so they outlive the engine. */
export class ReviewDesk {
  readonly #study: Study;
  readonly #ports: Ports;
  #handed: Handed | null = null;
  #wakeUp: (() => void) | null = null;

  constructor(study: Study, ports: Ports) {
    this.#study = study;
    this.#ports = ports;
  }

  /** Submits a committed proposal for review. Call it inside `ledger.write`. */
  open(review: Omit<Review, 'id' | 'outcome' | 'message' | 'at'>): void {
    const { ledger, now } = this.#ports;
    ledger.reviews.add(this.#study.id, { ...review, at: now() });
    ledger.experiments.setPhase(this.#study.id, review.n, 'reviewing');
  }

  /** The proposal of experiment `n` that waits for the user, with a ref that protects it from git's garbage collection. */
  async take(n: number): Promise<Review> {
    const { ledger, repository } = this.#ports;
    const review = ledger.reviews.open(this.#study.id, n);
    if (!review) throw new Error(`experiment ${n} has no proposal that waits`);
    await createRef(repository, reviewRef(this.#study.tag, review.id), review.commit);
    return review;
  }

  /**
   * Accepts decisions from now on. Resolves once the user has decided, or when `isDisturbed` says so after a {@link
   * wake}. The decision is not in the ledger yet: it is stored together with its consequences.
   */
  async wait(
    review: Review,
    isDisturbed: () => boolean,
    identity: Readonly<Record<string, string>>,
  ): Promise<Reviewed> {
    const { ledger } = this.#ports;
    try {
      const isHinted = await isHeld({ ...this.#ports, study: this.#study }, review.parent, review.commit);
      for (;;) {
        if (isDisturbed()) return { kind: 'disturbed' };
        if (!isHinted && !ledger.studies.get(this.#study.id)?.asksApproval) {
          return this.#approve(review, review, 'auto', () => {});
        }
        const handed = this.#handed;
        if (handed && handed.id !== review.id) this.dismiss();
        else if (handed) {
          const reviewed = await this.#settle(review, handed, identity);
          if (reviewed) return reviewed;
        } else {
          await new Promise<void>(resolve => {
            this.#wakeUp = resolve;
          });
        }
      }
    } finally {
      this.dismiss();
    }
  }

  /** Makes {@link wait} check its conditions again. */
  wake(): void {
    this.#wakeUp?.();
  }

  /** Tells whoever has decided something that it was too late. */
  dismiss(): void {
    this.#handed?.reject(notWaiting());
    this.#handed = null;
  }

  /**
   * Resolves once the decision is carried out, which cannot be before {@link wait}. Rejects with `usage` if this
   * proposal does not wait, or its changed files are not a valid edit.
   */
  decide(id: number, decision: Decision): Promise<void> {
    const isOpen = this.#ports.ledger.reviews.isOpen(this.#study.id, id);
    if (!isOpen || this.#handed) return Promise.reject(notWaiting());
    return new Promise((resolve, reject) => {
      this.#handed = { id, decision, resolve, reject };
      this.wake();
    });
  }

  /** Null if the decision could not be carried out; the caller has been told. */
  async #settle(
    review: Review,
    { decision, resolve, reject }: Handed,
    identity: Readonly<Record<string, string>>,
  ): Promise<Reviewed | null> {
    const done = (error?: unknown) => (error === undefined ? resolve() : reject(error));
    this.#handed = null;
    try {
      if (decision.kind === 'approve') {
        const isEdited = Object.keys(decision.files).length > 0;
        const made = isEdited ? await this.#rewrite(review, decision, identity) : review;
        return await this.#approve(review, made, isEdited ? 'edited' : 'approved', done);
      }
      const message = decision.kind === 'reject' ? decision.reason : describeRemarks(decision);
      if (message === '') throw new PawlError('usage', 'Say what to do differently.');
      const kind = decision.kind === 'reject' ? 'rejected' : 'sent_back';
      const comments = decision.kind === 'send_back' ? decision.comments : [];
      return { kind, review, message, done, save: () => this.#close(review, kind, message, comments) };
    } catch (error) {
      reject(error);
      if (!(error instanceof PawlError) || error.code !== 'usage') throw error;
      return null;
    }
  }

  async #approve(
    review: Review,
    made: Review,
    outcome: ReviewOutcome,
    done: Decided['done'],
  ): Promise<Reviewed> {
    const changed = await listChangedFiles(this.#ports.repository, made.start, made.commit);
    const save = () => this.#close(review, outcome, null, [], made.commit);
    return { kind: 'approved', review: made, files: changed.map(({ path }) => path), done, save };
  }

  #close(
    review: Review,
    outcome: ReviewOutcome,
    message: string | null,
    comments: readonly ReviewComment[],
    commit = review.commit,
  ): void {
    const { ledger, now } = this.#ports;
    ledger.reviews.close(review.id, outcome, message, comments, now(), commit);
  }

  /** The proposal with the user's files in place of its own, judged and committed like any edit. */
  async #rewrite(
    review: Review,
    { files, title }: Extract<Decision, { kind: 'approve' }>,
    identity: Readonly<Record<string, string>>,
  ): Promise<Review> {
    const { ledger, repository, workbench } = this.#ports;
    const refuse = (message: string) => new PawlError('usage', message);
    const changed = (await listChangedFiles(repository, review.start, review.commit)).map(({ path }) => path);
    const foreign = Object.keys(files).find(path => !changed.includes(path));
    if (foreign !== undefined) throw refuse(`${foreign} is not part of the proposal.`);
    await workbench.checkout(review.start);
    workbench.markDirty();
    const tracked = (await listTree(repository, review.commit)).map(({ path }) => path);
    const kept = changed.filter(path => tracked.includes(path));
    try {
      await exportFiles(repository, review.commit, kept, workbench.path);
    } catch (error) {
      if (!(error instanceof PawlError) || error.code !== 'git_failed') throw error;
      throw refuse(`The proposal cannot be restored: ${error.message}`);
    }
    for (const path of changed)
      if (!kept.includes(path)) await rm(join(workbench.path, path), { force: true });
    const fault = await writeFiles(workbench.path, new Map(Object.entries(files)), tracked);
    if (fault !== null) throw refuse(fault);
    const edit = await workbench.readEdit();
    if (edit.kind === 'refused') throw refuse(edit.message);
    const same = ledger.experiments.findSameEdit(this.#study.id, edit.digest, review.n);
    if (same !== null) throw refuse(`The same files were already tried in experiment ${same}.`);
    const proposal = await proposalOfEdit(repository, review, edit.paths, workbench.path, title);
    const message = commitMessage(this.#study.tag, review.n, proposal);
    const commit = await workbench.commit(edit, review.parent, message, identity);
    if (commit === null) throw refuse('With these changes, the proposal no longer changes anything.');
    return { ...review, proposal, commit, editDigest: edit.digest, sourceLines: edit.sourceLines };
  }
}

/** Describes the edit that will run, because the proposal's words and expected effect belonged to another one. */
async function proposalOfEdit(
  repository: Repository,
  { proposal, start }: Review,
  paths: readonly string[],
  worktree: string,
  title: string | undefined,
): Promise<Proposal> {
  const turns = [];
  const others = [];
  for (const path of paths) {
    const before = (await readBlob(repository, start, path))?.toString('latin1') ?? '';
    const after = await readFile(join(worktree, path), 'latin1').catch(() => '');
    const turned = findTurns(path, before, after);
    turns.push(...turned);
    if (turnConstants(path, before, turned) !== after) others.push(path);
  }
  const told = [
    ...turns.map(({ name, from, to }) => `${name} from ${from} to ${to}`),
    ...(others.length === 0 ? [] : [`${turns.length > 0 ? 'more in ' : ''}${others.join(', ')}`]),
  ];
  const was = [`You edited the proposal "${proposal.hypothesis}" before it ran.`, proposal.rationale ?? ''];
  return cleanProposal({
    hypothesis: (title || `${told.join(', ')}, as edited by you`).slice(0, 500),
    rationale: was.filter(Boolean).join('\n\n'),
    predictedEffect: null,
    category: proposal.category,
    memo: { turns },
  });
}

function notWaiting(): PawlError {
  return new PawlError('usage', 'This proposal is no longer waiting for you.');
}
