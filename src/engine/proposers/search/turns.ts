import { z } from 'zod';
import { findConstants } from './constants.ts';
import { readNumber } from './literal.ts';

/** A constant that a proposal turned, as its memo keeps it. */
const turnSchema = z.object({
  file: z.string(),
  name: z.string(),
  direction: z.enum(['up', 'down', 'other']),
  from: z.string(),
  to: z.string(),
});
export type Turn = z.infer<typeof turnSchema>;

/** The constants that differ between two texts of a file. */
export function findTurns(file: string, before: string, after: string): readonly Turn[] {
  const now = new Map(findConstants(file, after).map(constant => [constant.name, constant.literal]));
  return findConstants(file, before).flatMap(({ name, literal }) => {
    const other = now.get(name);
    if (!other || other.text === literal.text) return [];
    const [from, to] = [readNumber(literal), readNumber(other)];
    const direction = from === null || to === null || from === to ? 'other' : to > from ? 'up' : 'down';
    return [{ file, name, direction, from: literal.text, to: other.text }];
  });
}

/** The search calls its turns moves. */
const memoSchema = z.object({ turns: z.array(turnSchema).optional(), moves: z.array(turnSchema).optional() });

/** What an experiment with this memo turned; none where nobody wrote that down. */
export function turnsOf(memo: unknown): readonly Turn[] {
  const parsed = memoSchema.safeParse(memo);
  return parsed.success ? [...(parsed.data.turns ?? []), ...(parsed.data.moves ?? [])] : [];
}
