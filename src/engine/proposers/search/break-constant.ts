import type { Move } from './choice.ts';
import type { Constant } from './constant.ts';
import type { Literal } from './literal.ts';
import { writeFloat, writeInteger } from './moves.ts';

/** Large enough to show in any training that uses the constant. */
const FACTOR = 100;
/** Two to this power is about the factor. */
const EXPONENT = 7;
/** A share stays between 0 and 1: it moves to the far end. */
const SHARE_ENDS = { low: 0.01, high: 0.99 };

/**
 * Breaks the constant that best shows whether a metric notices what the code does: a learning rate becomes 100 times
 * as large; else a share (a dropout, a momentum) goes to its other end; else another fraction becomes 100 times as
 * large; else a whole number becomes a hundredth, because a larger one could exhaust the machine. Null if there is no
 * such constant.
 */
export function breakConstant(constants: readonly Constant[]): Move | null {
  const ways: readonly ((constant: Constant) => string | null)[] = [
    ({ name, literal }) => (isLearningRate(name) ? larger(literal) : null),
    ({ literal }) => otherEnd(literal),
    ({ name, literal }) => (literal.kind === 'float' && !isTiny(name) ? larger(literal) : null),
    ({ literal }) => smaller(literal),
  ];
  for (const way of ways) {
    for (const constant of constants) {
      const to = way(constant);
      const { file, name, literal } = constant;
      if (to !== null && to !== literal.text)
        return { file, name, direction: 'other', from: literal.text, to };
    }
  }
  return null;
}

/** Constants that only prevent a division by zero. */
function isTiny(name: string): boolean {
  return /(?:^|[^a-z])eps(?:ilon)?(?:[^a-z]|$)/i.test(name);
}

/** Whether a constant's name means a learning rate: `LR`, `matrix_lr`, `learningRate`, `--optim.learning-rate`. */
export function isLearningRate(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_');
  return (
    /(?:^|_)(?:lr|learning_?rate|step_size)(?:_|$)/.test(words) && !/decay|warm|sched|min|final/.test(words)
  );
}

function otherEnd(literal: Literal): string | null {
  const { low, high } = SHARE_ENDS;
  if (literal.kind !== 'float' || literal.value < low || literal.value > high) return null;
  return writeFloat(literal.value < 0.5 ? high : low, literal);
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
