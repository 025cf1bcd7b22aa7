import { z } from 'zod';
import { findConstants } from './constants.ts';
import { type Literal, readNumber } from './literal.ts';
import type { Direction } from './moves.ts';

/** A constant that a proposal changed, as stored in its memo. */
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
    return [
      { file, name, direction: directionBetween(literal, other.text), from: literal.text, to: other.text },
    ];
  });
}

/** The text with only those constants changed. */
export function turnConstants(file: string, before: string, turns: readonly Turn[]): string {
  let text = before;
  for (const { name, start, end } of findConstants(file, before).toReversed()) {
    const turn = turns.find(other => other.name === name);
    if (turn) text = text.slice(0, start) + turn.to + text.slice(end);
  }
  return text;
}

/** In which direction a constant goes from a literal to another text. */
export function directionBetween(literal: Literal, text: string): Direction {
  const [from, to] = [readNumber(literal), readNumber({ ...literal, text })];
  if (from === null || to === null || from === to || Number.isNaN(to)) return 'other';
  return to > from ? 'up' : 'down';
}

/** The search calls its changes moves. */
const memoSchema = z.object({ turns: z.array(turnSchema).optional(), moves: z.array(turnSchema).optional() });

/** The constants that an experiment with this memo changed; none if not recorded. */
export function turnsOf(memo: unknown): readonly Turn[] {
  const parsed = memoSchema.safeParse(memo);
  return parsed.success ? [...(parsed.data.turns ?? []), ...(parsed.data.moves ?? [])] : [];
}
