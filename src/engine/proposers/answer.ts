import { z } from 'zod';
import type { Proposal } from '../../shared/study.ts';

/** What a program that proposes says of its edit, in one JSON object. */
export const answerSchema = z.object({
  hypothesis: z.string().trim().min(1).max(500),
  rationale: z.string().max(20_000).nullish(),
  predicted_effect: z.number().nullish(),
  category: z.string().max(60).nullish(),
});

/** @param memo see {@link Proposal} */
export function proposalOf(answer: z.infer<typeof answerSchema>, memo: unknown): Proposal {
  const { hypothesis, rationale = null, predicted_effect: predictedEffect = null, category = null } = answer;
  return { hypothesis, rationale, predictedEffect, category, memo };
}
