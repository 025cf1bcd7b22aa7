import { z } from 'zod';
import type { Constant } from './constant.ts';
import type { Direction } from './moves.ts';
import { directionBetween } from './turns.ts';

/** A change of one constant. */
export type Move = {
  readonly file: string;
  readonly name: string;
  readonly direction: Direction;
  /** For the ladder: which of its steps this is. */
  readonly step?: number | undefined;
  readonly from: string;
  readonly to: string;
};

export const memoSchema = z.object({
  moves: z.array(
    z.object({
      file: z.string(),
      name: z.string(),
      direction: z.enum(['up', 'down', 'other']),
      step: z.number().optional(),
      from: z.string(),
      to: z.string(),
    }),
  ),
  /** All constants after the moves. */
  values: z.string(),
  /** For the Gaussian process: its hyperparameters, by axis, from which the next proposal starts. */
  process: z.object({ inverseLengths: z.array(z.number()), scale: z.number(), noise: z.number() }).optional(),
});
/** What this strategy's proposals store in the history, so that the history is its only state. */
export type Memo = z.infer<typeof memoSchema>;

export type Choice = {
  readonly moves: readonly Move[];
  readonly memo: Memo;
  /** The evidence for these moves in the history, in words. */
  readonly because: string;
  /** In the metric's unit, positive for better; null without evidence. */
  readonly expectedGain: number | null;
  /** Standard deviation of {@link expectedGain}; null if unknown. */
  readonly expectedError: number | null;
};

/** All constants after moves; equal for equal values. */
export function spellValues(constants: readonly Constant[], moves: readonly Move[]): string {
  return spellTexts(
    constants,
    constants.map(({ file, name, literal }) => {
      const move = moves.find(candidate => candidate.file === file && candidate.name === name);
      return move?.to ?? literal.text;
    }),
  );
}

/** {@link spellValues} for the constants' texts, by index. */
export function spellTexts(constants: readonly Constant[], texts: readonly string[]): string {
  return constants
    .map(({ file, name, literal }, place) => `${file}:${name}=${texts[place] ?? literal.text}`)
    .join('\n');
}

/** The moves that give the constants other texts. */
export function movesTo(constants: readonly Constant[], texts: readonly string[]): readonly Move[] {
  return constants.flatMap(({ file, name, literal }, place) => {
    const to = texts[place] ?? literal.text;
    if (to === literal.text) return [];
    return [{ file, name, direction: directionBetween(literal, to), from: literal.text, to }];
  });
}
