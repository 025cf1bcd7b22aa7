import { z } from 'zod';

/** A constant that a proposal turned, as its memo keeps it. */
const turnSchema = z.object({
  file: z.string(),
  name: z.string(),
  direction: z.enum(['up', 'down', 'other']),
  from: z.string(),
  to: z.string(),
});
export type Turn = z.infer<typeof turnSchema>;
/** The search calls its turns moves. */
const memoSchema = z.object({ turns: z.array(turnSchema).optional(), moves: z.array(turnSchema).optional() });

/** What an experiment with this memo turned; none where nobody wrote that down. */
export function turnsOf(memo: unknown): readonly Turn[] {
  const parsed = memoSchema.safeParse(memo);
  return parsed.success ? [...(parsed.data.turns ?? []), ...(parsed.data.moves ?? [])] : [];
}
