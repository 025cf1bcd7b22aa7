import type { Move } from './choice.ts';
import type { Constant } from './constants.ts';
import type { Literal } from './literal.ts';
import { writeFloat, writeInteger } from './moves.ts';

/** So far off that a training which uses the constant has to show it. */
const FACTOR = 100;
/** 2 to the power of this is about the factor. */
const EXPONENT = 7;

/**
 * The constant whose breaking says most of whether a metric notices what the code does, broken: a learning rate 100 times as
 * large, else another fraction, else a whole number a hundredth as large, for a larger one may take the machine. Null where there
 * is none of these.
 */
export function breakConstant(constants: readonly Constant[]): Move | null {
  const ways = [
    constants
      .filter(({ name }) => isLearningRate(name))
      .map(constant => moveOf(constant, larger(constant.literal))),
    constants
      .filter(({ literal }) => literal.kind === 'float')
      .map(constant => moveOf(constant, larger(constant.literal))),
    constants.map(constant => moveOf(constant, smaller(constant.literal))),
  ];
  return ways.flat().find(move => move !== null) ?? null;
}

/** `LR`, `matrix_lr`, `learningRate`, `--optim.learning-rate`. */
function isLearningRate(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_');
  return (
    /(?:^|_)(?:lr|learning_?rate|step_size)(?:_|$)/.test(words) && !/decay|warm|sched|min|final/.test(words)
  );
}

function larger(literal: Literal): string | null {
  if (literal.kind === 'float' && literal.value !== 0) return writeFloat(literal.value * FACTOR, literal);
  if (literal.kind === 'integer' && literal.value !== 0)
    return writeInteger(literal.value * FACTOR, literal.text);
  return null;
}

function smaller(literal: Literal): string | null {
  if (literal.kind === 'integer' && literal.value > 1)
    return writeInteger(Math.max(1, Math.round(literal.value / FACTOR)), literal.text);
  if (literal.kind === 'power' && literal.exponent > 1)
    return literal.text.replace(/\d+$/, String(Math.max(1, literal.exponent - EXPONENT)));
  return null;
}

function moveOf({ file, name, literal }: Constant, to: string | null): Move | null {
  if (to === null || to === literal.text) return null;
  return { file, name, direction: 'other', from: literal.text, to };
}
