import { z } from 'zod';
import type { Proposal } from './study.ts';
import type { Hint } from './verdicts/probes.ts';

/** Approve mode: a study waits for its user before a proposal may run. */

const text = (limit: number) => z.string().max(limit);

/** A remark on one line of a proposal's diff. */
const reviewCommentSchema = z.strictObject({
  path: text(4_096).min(1),
  /** Which side of the diff the line is on: before or after the change. */
  side: z.enum(['old', 'new']),
  /** From 1. */
  line: z.number().int().min(1).max(100_000_000),
  text: text(4_000).trim().min(1, 'Write the comment first.'),
});
export type ReviewComment = z.infer<typeof reviewCommentSchema>;

export const decisionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('approve'),
    /** The full texts of files that the user changed; empty accepts the proposal as it is. */
    files: z.record(text(4_096).min(1), text(1_000_000)),
    /** One line about what the changed files try; by default it is derived from the diff. */
    title: text(300).trim().optional(),
  }),
  /** Back to the proposer, to be redone with the user's remarks. */
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

/** How a review ended. `auto`: the user turned approve mode off while it waited. */
export type ReviewOutcome = 'approved' | 'edited' | 'auto' | 'sent_back' | 'rejected';

/** A proposal that waits, as a window shows it. */
export type ReviewView = {
  readonly id: number;
  readonly n: number;
  readonly at: number;
  readonly proposal: Omit<Proposal, 'memo'>;
  /** Whether it repairs a crashed attempt. */
  readonly isRepair: boolean;
  /** Reasons for a closer look; with these it waits even if approve mode is off. */
  readonly hints: readonly Hint[];
  readonly diff: string;
  readonly isCut: boolean;
  /** The changed text files, after and before the change; the latter is empty if the file is new. */
  readonly files: readonly { readonly path: string; readonly text: string; readonly before: string }[];
};

/** The remarks as the proposer gets them, one line each. */
export function describeRemarks(remarks: {
  readonly text: string;
  readonly comments: readonly ReviewComment[];
}): string {
  const lines = remarks.comments.map(
    ({ path, side, line, text }) => `${path}, ${side === 'new' ? '' : 'old '}line ${line}: ${text}`,
  );
  return [...(remarks.text === '' ? [] : [remarks.text]), ...lines].join('\n');
}
