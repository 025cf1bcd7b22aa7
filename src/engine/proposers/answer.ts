import { z } from 'zod';
import { ideaWordsSchema } from '../../shared/ideas.ts';
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
  const { hypothesis, rationale = null, predicted_effect: predictedEffect = null, category = null } = answer;
  return {
    kind: 'proposed',
    proposal: { hypothesis, rationale, predictedEffect, category, memo },
    ...{ idea: answer.idea, ideas: answer.ideas ?? [] },
  };
}
