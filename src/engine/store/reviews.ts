import type { ReviewComment, ReviewOutcome } from '../../shared/review.ts';
import type { Proposal } from '../../shared/study.ts';
import type { Database } from './database.ts';

/** A committed proposal that waits for the user, or waited. */
export type Review = {
  readonly id: number;
  readonly n: number;
  readonly at: number;
  readonly proposal: Proposal;
  /** The files as the proposer found them. */
  readonly start: string;
  /** The commit's parent. */
  readonly parent: string;
  readonly commit: string;
  readonly editDigest: string;
  readonly sourceLines: number;
  readonly isRepair: boolean;
  readonly outcome: ReviewOutcome | null;
  /** The reason, or the remarks for the proposer. */
  readonly message: string | null;
};

type Row = Omit<Review, 'proposal' | 'isRepair'> & {
  readonly proposal: string;
  readonly isRepair: number;
};

export type ReviewStore = ReturnType<typeof reviewStore>;

export function reviewStore(database: Database) {
  const columns = `id, n, at, proposal, start_commit AS start, parent_commit AS parent, commit_name AS "commit",
    edit_digest AS editDigest, source_lines AS sourceLines, is_repair AS isRepair, outcome, message`;
  const add = database.prepare(
    `INSERT INTO review (study_id, n, at, proposal, start_commit, parent_commit, commit_name, edit_digest, source_lines,
       is_repair)
     VALUES (@studyId, @n, @at, @proposal, @start, @parent, @commit, @editDigest, @sourceLines, @isRepair)`,
  );
  const close = database.prepare(
    'UPDATE review SET outcome = ?, message = ?, comments = ?, decided_at = ?, commit_name = ? WHERE id = ?',
  );
  const latest = database.prepare<[string, number], Row>(
    `SELECT ${columns} FROM review WHERE study_id = ? AND n = ? ORDER BY id DESC LIMIT 1`,
  );
  const ofCommit = database.prepare<[string, number, string], { outcome: ReviewOutcome | null }>(
    'SELECT outcome FROM review WHERE study_id = ? AND n = ? AND commit_name = ? ORDER BY id DESC LIMIT 1',
  );
  const isOpen = database.prepare<[string, number], { id: number }>(
    'SELECT id FROM review WHERE study_id = ? AND id = ? AND outcome IS NULL',
  );
  const experimentOf = database.prepare<[string, number], { n: number }>(
    'SELECT n FROM review WHERE study_id = ? AND id = ?',
  );
  return {
    /** Number of the experiment whose proposal this is; null if there is none. */
    experimentOf(studyId: string, id: number): number | null {
      return experimentOf.get(studyId, id)?.n ?? null;
    },
    /** Returns its id. */
    add(studyId: string, review: Omit<Review, 'id' | 'outcome' | 'message'>): number {
      const row = { ...review, proposal: JSON.stringify(review.proposal), isRepair: Number(review.isRepair) };
      return Number(add.run({ studyId, ...row }).lastInsertRowid);
    },
    /** @param commit the commit that was accepted, or whose wait ended without a decision */
    close(
      id: number,
      outcome: ReviewOutcome,
      message: string | null,
      comments: readonly ReviewComment[],
      at: number,
      commit: string,
    ): void {
      close.run(outcome, message, JSON.stringify(comments), at, commit, id);
    },
    isOpen(studyId: string, id: number): boolean {
      return isOpen.get(studyId, id) !== undefined;
    },
    /** The outcome of the attempt's review; null if there was none. */
    outcomeOf(studyId: string, n: number, commit: string): ReviewOutcome | null {
      return ofCommit.get(studyId, n, commit)?.outcome ?? null;
    },
    /** The last one of an experiment; null if it had none. */
    latest(studyId: string, n: number): Review | null {
      const row = latest.get(studyId, n);
      return row
        ? { ...row, proposal: JSON.parse(row.proposal) as Proposal, isRepair: row.isRepair === 1 }
        : null;
    },
    /** The one that waits for the user. */
    open(studyId: string, n: number): Review | null {
      const review = this.latest(studyId, n);
      return review?.outcome === null ? review : null;
    },
  };
}
