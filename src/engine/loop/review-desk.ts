import { PawlError } from '../../shared/errors.ts';
import { type Decision, describeRemarks, type ReviewOutcome } from '../../shared/review.ts';
import type { Study } from '../../shared/study.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Review } from '../ledger/reviews.ts';
import { writeFiles } from '../proposers/write-files.ts';
import { readPatch } from '../repo/diff.ts';
import { createRef, reviewRef } from '../repo/refs.ts';
import { listTree, type Repository } from '../repo/repository.ts';
import { gitIn } from '../repo/worktree.ts';
import { commitMessage } from './proposal-text.ts';
import type { Workbench } from './workbench.ts';

type Ports = {
  readonly ledger: Ledger;
  readonly repository: Repository;
  readonly workbench: Workbench;
  readonly now: () => number;
};

/** What became of a proposal that waited. */
export type Reviewed =
  | { readonly kind: 'approved'; readonly review: Review }
  /** The reason, or the remarks it goes back with. */
  | { readonly kind: 'sent_back' | 'rejected'; readonly review: Review; readonly message: string }
  /** Something else is to be done first; it waits on. */
  | { readonly kind: 'disturbed' };

type Handed = {
  readonly id: number;
  readonly decision: Decision;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/** Where proposals of one study wait for the user. What waits is in the ledger and in git, so it outlives the engine. */
export class ReviewDesk {
  readonly #study: Study;
  readonly #ports: Ports;
  #handed: Handed | null = null;
  #wakeUp: (() => void) | null = null;

  constructor(study: Study, ports: Ports) {
    this.#study = study;
    this.#ports = ports;
  }

  /** Puts a committed proposal on the desk. Call it inside `ledger.write`. */
  open(review: Omit<Review, 'id' | 'outcome' | 'message' | 'at'>): void {
    const { ledger, now } = this.#ports;
    ledger.reviews.add(this.#study.id, { ...review, at: now() });
    ledger.experiments.setPhase(this.#study.id, review.n, 'reviewing');
  }

  /** What waits for the user in experiment `n`, kept from git's clearing up. */
  async take(n: number): Promise<Review> {
    const { ledger, repository } = this.#ports;
    const review = ledger.reviews.open(this.#study.id, n);
    if (!review) throw new Error(`experiment ${n} has no proposal that waits`);
    await createRef(repository, reviewRef(this.#study.tag, review.id), review.commit);
    return review;
  }

  /**
   * Takes decisions from the moment it is called. Resolves once the user has decided, or `isDisturbed` says so after a
   * {@link wake}. The decision is in the ledger by then, but for what it means to the experiment.
   */
  async wait(
    review: Review,
    isDisturbed: () => boolean,
    identity: Readonly<Record<string, string>>,
  ): Promise<Reviewed> {
    const { ledger } = this.#ports;
    try {
      for (;;) {
        if (isDisturbed()) return { kind: 'disturbed' };
        if (!ledger.studies.get(this.#study.id)?.asksApproval) {
          this.#close(review, 'auto', null, null);
          return { kind: 'approved', review };
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

  /** Makes {@link wait} look again at what it waits for. */
  wake(): void {
    this.#wakeUp?.();
  }

  /** Tells whoever has decided something that it came too late. */
  dismiss(): void {
    this.#handed?.reject(notWaiting());
    this.#handed = null;
  }

  /**
   * Resolves once it is done, which is not before {@link wait}. Rejects with `usage` where this proposal does not wait,
   * or its changed files are no edit.
   */
  decide(id: number, decision: Decision): Promise<void> {
    const isOpen = this.#ports.ledger.reviews.isOpen(this.#study.id, id);
    if (!isOpen || this.#handed) return Promise.reject(notWaiting());
    return new Promise((resolve, reject) => {
      this.#handed = { id, decision, resolve, reject };
      this.wake();
    });
  }

  /** Null where the decision could not be followed; its caller has been told. */
  async #settle(
    review: Review,
    { decision, resolve, reject }: Handed,
    identity: Readonly<Record<string, string>>,
  ): Promise<Reviewed | null> {
    try {
      switch (decision.kind) {
        case 'approve': {
          const isEdited = Object.keys(decision.files).length > 0;
          const made = isEdited ? await this.#rewrite(review, decision.files, identity) : review;
          this.#close(review, isEdited ? 'edited' : 'approved', null, null);
          resolve();
          return { kind: 'approved', review: made };
        }
        case 'reject':
          this.#close(review, 'rejected', decision.reason, decision);
          resolve();
          return { kind: 'rejected', review, message: decision.reason };
        default: {
          const message = describeRemarks(decision);
          if (message === '') throw new PawlError('usage', 'Say what is to be done differently.');
          this.#close(review, 'sent_back', message, decision);
          resolve();
          return { kind: 'sent_back', review, message };
        }
      }
    } catch (error) {
      reject(error);
      if (!(error instanceof PawlError) || error.code !== 'usage') throw error;
      return null;
    } finally {
      this.#handed = null;
    }
  }

  #close(review: Review, outcome: ReviewOutcome, message: string | null, decision: Decision | null): void {
    const { ledger, now } = this.#ports;
    const comments = decision?.kind === 'send_back' ? decision.comments : [];
    ledger.write(() => ledger.reviews.close(review.id, outcome, message, comments, now()));
  }

  /** The proposal with the user's files in place of its own, judged and committed as any edit. */
  async #rewrite(
    review: Review,
    files: Readonly<Record<string, string>>,
    identity: Readonly<Record<string, string>>,
  ): Promise<Review> {
    const { ledger, repository, workbench } = this.#ports;
    const refuse = (message: string) => new PawlError('usage', message);
    await workbench.checkout(review.start);
    workbench.markDirty();
    const patch = await readPatch(repository, review.start, review.commit);
    await gitIn(workbench.worktree, ['apply', '--whitespace=nowarn', '-'], { stdin: patch });
    const trees = await Promise.all([
      listTree(repository, review.commit),
      listTree(repository, review.start),
    ]);
    const fault = await writeFiles(
      workbench.path,
      new Map(Object.entries(files)),
      trees.flat().map(({ path }) => path),
    );
    if (fault !== null) throw refuse(fault);
    const edit = await workbench.readEdit();
    if (edit.kind === 'refused') throw refuse(edit.message);
    const same = ledger.experiments.findSameEdit(this.#study.id, edit.digest, review.n);
    if (same !== null) throw refuse(`The same files were already tried in experiment ${same}.`);
    const message = commitMessage(this.#study.tag, review.n, review.proposal);
    const commit = await workbench.commit(edit, review.parent, message, identity);
    if (commit === null) throw refuse('Changed like this, nothing is left that git would store.');
    return { ...review, commit, editDigest: edit.digest, sourceLines: edit.sourceLines };
  }
}

function notWaiting(): PawlError {
  return new PawlError('usage', 'This proposal does not wait for you any more.');
}
