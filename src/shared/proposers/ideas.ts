import { z } from 'zod';
import type { Proposal } from '../study.ts';

/** No source file worth tuning is larger, and an answer must not fill a disk. */
export const MAX_FILE_CHARACTERS = 1_000_000;
const MAX_EDITS = 100;
/** Characters of the one-line hypothesis. */
export const MAX_HYPOTHESIS = 500;

/** One change to one file: an exact piece of it is replaced, or the whole file. */
export const editSchema = z.union([
  z.strictObject({ path: z.string().min(1).max(1_000), old: z.string().min(1), new: z.string() }),
  z.strictObject({ path: z.string().min(1).max(1_000), content: z.string().max(MAX_FILE_CHARACTERS) }),
]);
export const editsSchema = z.array(editSchema).min(1).max(MAX_EDITS);
export type FileEdit = z.infer<typeof editSchema>;

/** An idea's description, in the same fields as a proposal's. */
export const ideaWordsSchema = z.strictObject({
  hypothesis: z.string().trim().min(1, 'Write the idea first.').max(MAX_HYPOTHESIS),
  rationale: z.string().trim().max(20_000).nullish(),
  /** Expected change of the metric: negative is a lower value. */
  predicted_effect: z.number().finite().nullish(),
  category: z.string().trim().max(60).nullish(),
});
export type IdeaWords = z.infer<typeof ideaWordsSchema>;

/** The same, as an idea and a proposal have it. */
export type IdeaDescription = Omit<Proposal, 'memo'>;

/** Missing parts become null. */
export function descriptionOf(words: IdeaWords): IdeaDescription {
  const { hypothesis, rationale = null, predicted_effect: predictedEffect = null, category = null } = words;
  return { hypothesis, rationale, predictedEffect, category };
}

const IDEA_STATES = ['waiting', 'taken', 'refused', 'dropped'] as const;
export type IdeaState = (typeof IDEA_STATES)[number];

/** Authors of the user's ideas, and of those from an agent outside the loop. */
export const YOU = 'you';
export const OUTSIDE = 'outside';
/** Pawl itself, when it retries an edit that was built on a keep that was taken back. */
export const AGAIN = 'pawl';

/** Pawl itself, when it combines an edit that was better than its parent with what was kept meanwhile. */
export const COMBINATION = 'combination';

/** Whether an author is not one of the study's own proposers. */
export function isByHand(author: string | null): boolean {
  return author === YOU || author === OUTSIDE || author === AGAIN || author === COMBINATION;
}

/** The starting point of an edit: the texts of an attempt's editable files. */
export type EditableFiles = {
  /** The experiment they belong to; null before there is one. */
  readonly n: number | null;
  readonly files: readonly { readonly path: string; readonly text: string }[];
};

/** Something to try that waits for its turn. */
export type Idea = IdeaDescription & {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** {@link YOU}, {@link OUTSIDE}, or the label of a proposer. */
  readonly author: string;
  /** Paths of the files it changes; empty if it is only words, and a proposer that can read has to make the edit. */
  readonly files: readonly string[];
  readonly state: IdeaState;
  /** The experiment that tried it; null if none has. */
  readonly n: number | null;
  /** Why it was refused; null if it was not. */
  readonly message: string | null;
};
