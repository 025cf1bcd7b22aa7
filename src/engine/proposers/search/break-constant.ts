import type { Move } from './choice.ts';
import type { Constant } from './constants.ts';
import type { Literal } from './literal.ts';
import { writeFloat, writeInteger } from './moves.ts';

/** So far off that a training which uses the constant has to show it. */
const FACTOR = 100;
/** 2 to the power of this is about the factor. */
const EXPONENT = 7;
/** A share stays one: it goes to the far end of what shares can be. */
const SHARE_ENDS = { low: 0.01, high: 0.99 };

/**
 * The constant whose breaking says most of whether a metric notices what the code does, broken: a learning rate 100 times as
 * large, else a share (a dropout, a momentum) at its other end, else another fraction 100 times as large, else a whole number a
 * hundredth as large, for a larger one may take the machine. Null where there is none of these.
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

/** What only keeps a division from failing. */
function isTiny(name: string): boolean {
  return /(?:^|[^a-z])eps(?:ilon)?(?:[^a-z]|$)/i.test(name);
}

/** Whether a constant is a learning rate by its name: `LR`, `matrix_lr`, `learningRate`, `--optim.learning-rate`. */
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
