import { z } from 'zod';
import type { Constant } from './constants.ts';
import type { Direction } from './moves.ts';
import { directionBetween } from './turns.ts';

/** One constant turned. */
export type Move = {
  readonly file: string;
  readonly name: string;
  readonly direction: Direction;
  /** Of the ladder: which of its steps it is. */
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
  /** All constants as they stand after the moves. */
  values: z.string(),
  /** Of the Gaussian process: its hyperparameters, by axis, with which the next proposal goes on. */
  process: z.object({ inverseLengths: z.array(z.number()), scale: z.number(), noise: z.number() }).optional(),
});
/** What a proposal of this strategy leaves in the history, so that the history is its only state. */
export type Memo = z.infer<typeof memoSchema>;

export type Choice = {
  readonly moves: readonly Move[];
  readonly memo: Memo;
  /** What the history says of these moves, in words. */
  readonly because: string;
  /** In units of the metric, and positive for better; null without evidence. */
  readonly expectedGain: number | null;
  /** Standard deviation of {@link expectedGain}; null where nothing is said of it. */
  readonly expectedError: number | null;
};

/** All constants as they stand after moves, the same for the same values. */
export function spellValues(constants: readonly Constant[], moves: readonly Move[]): string {
  return spellTexts(
    constants,
    constants.map(({ file, name, literal }) => {
      const move = moves.find(candidate => candidate.file === file && candidate.name === name);
      return move?.to ?? literal.text;
    }),
  );
}

/** {@link spellValues} of the constants' texts, by place. */
export function spellTexts(constants: readonly Constant[], texts: readonly string[]): string {
  return constants
    .map(({ file, name, literal }, place) => `${file}:${name}=${texts[place] ?? literal.text}`)
    .join('\n');
}

/** What it takes to give the constants other texts. */
export function movesTo(constants: readonly Constant[], texts: readonly string[]): readonly Move[] {
  return constants.flatMap(({ file, name, literal }, place) => {
    const to = texts[place] ?? literal.text;
    if (to === literal.text) return [];
    return [{ file, name, direction: directionBetween(literal, to), from: literal.text, to }];
  });
}
