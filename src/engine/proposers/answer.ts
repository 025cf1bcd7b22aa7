import { z } from 'zod';
import { descriptionOf, ideaWordsSchema } from '../../shared/proposers/ideas.ts';
import type { ProposerAnswer } from './proposer.ts';

/** How many further ideas one answer may have. */
export const MAX_IDEAS = 5;

/** A program's description of its edit, as one JSON object. */
export const answerSchema = z.object({
  hypothesis: z.string().trim().min(1).max(500),
  rationale: z.string().max(20_000).nullish(),
  predicted_effect: z.number().nullish(),
  category: z.string().max(60).nullish(),
  idea: z.number().int().nullish(),
  ideas: z.array(ideaWordsSchema).max(MAX_IDEAS).nullish(),
});

/** @param memo see `Proposal` */
export function proposedOf(
  answer: z.infer<typeof answerSchema>,
  memo: unknown,
): Extract<ProposerAnswer, { kind: 'proposed' }> {
  return {
    kind: 'proposed',
    proposal: { ...descriptionOf(answer), memo },
    ...{ idea: answer.idea, ideas: answer.ideas ?? [] },
  };
}

export const NO_REPAIR = "This attempt's proposer does not repair crashes.";

export function failed(message: string): Extract<ProposerAnswer, { kind: 'failed' }> {
  return { kind: 'failed', message, memo: null };
}
