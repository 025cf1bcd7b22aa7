import { z } from 'zod';
import type { Hint } from './probes.ts';
import type { Proposal } from './study.ts';

/** Where a study waits for its user before a proposal may run: approve mode. */

const text = (limit: number) => z.string().max(limit);

/** A remark on one line of a proposal's diff. */
export const reviewCommentSchema = z.strictObject({
  path: text(4_096).min(1),
  /** Which side of the diff the line is on: as it was, or as it would be. */
  side: z.enum(['old', 'new']),
  /** From 1. */
  line: z.number().int().min(1).max(100_000_000),
  text: text(4_000).trim().min(1, 'Write the comment first.'),
});
export type ReviewComment = z.infer<typeof reviewCommentSchema>;

export const decisionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('approve'),
    /** Whole texts of the files the user changed; empty takes the proposal as it is. */
    files: z.record(text(4_096).min(1), text(1_000_000)),
    /** What the changed files try, in one line; by default it is derived from the diff. */
    title: text(300).trim().optional(),
  }),
  /** Back to the proposer, to do it again with what the user remarks. */
  z.strictObject({
    kind: z.literal('send_back'),
    text: text(4_000).trim(),
    comments: z.array(reviewCommentSchema).max(200),
  }),
  z.strictObject({
    kind: z.literal('reject'),
    reason: text(4_000).trim().min(1, 'Say why: the proposer remembers it.'),
  }),
]);
export type Decision = z.infer<typeof decisionSchema>;

/** How a review ended. `auto`: the user switched approve mode off while it waited. */
export type ReviewOutcome = 'approved' | 'edited' | 'auto' | 'sent_back' | 'rejected';

/** A proposal that waits, as a window shows it. */
export type ReviewView = {
  readonly id: number;
  readonly n: number;
  readonly at: number;
  readonly proposal: Omit<Proposal, 'memo'>;
  /** Mends a crashed attempt. */
  readonly isRepair: boolean;
  /** Why somebody should look closer; it waits for that also where approve mode is off. */
  readonly hints: readonly Hint[];
  readonly diff: string;
  readonly isCut: boolean;
  /** The changed files that are text, as they would be and as they are; the latter is empty where the file is new. */
  readonly files: readonly { readonly path: string; readonly text: string; readonly before: string }[];
};

/** One line per remark, as the proposer gets it. */
export function describeRemarks(remarks: {
  readonly text: string;
  readonly comments: readonly ReviewComment[];
}): string {
  const lines = remarks.comments.map(
    ({ path, side, line, text }) => `${path}, ${side === 'new' ? '' : 'old '}line ${line}: ${text}`,
  );
  return [...(remarks.text === '' ? [] : [remarks.text]), ...lines].join('\n');
}
